-- Prices that wait to be written into spans.
SELECT count() AS prices FROM price_corrections_join;
