-- Whether rows of a day have been erased, whose sums its rollups keep.
SELECT count() AS erasures FROM ${DATABASE}.erasures WHERE has(days, {day:Date});
