-- Records of the range that workers could not read.
SELECT count() AS records
FROM dead_letters AS letters
WHERE $__timeFilter(letters.time)
    AND @filters(letters: worker, reason)
