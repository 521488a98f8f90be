-- Every span there is.
SELECT toString(count()) AS spans FROM spans;
