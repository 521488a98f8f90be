-- Puts the rows of a day together, so that those that add up to nothing can be told.
OPTIMIZE TABLE ${DATABASE}.cost_by_user_1h PARTITION {day:String} FINAL SETTINGS alter_sync = 2;
