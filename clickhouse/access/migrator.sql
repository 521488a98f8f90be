-- The user migrator makes and changes the tables and views of the database, updates rows when calls are
-- priced again and watches how far that is, and writes what people note. It removes no rows at large:
-- TRUNCATE and DROP DATABASE are nobody's.
GRANT CREATE DATABASE, CREATE TABLE, CREATE VIEW, DROP TABLE, DROP VIEW, ALTER TABLE, ALTER VIEW ON ${DATABASE}.*;
GRANT SELECT, INSERT ON ${DATABASE}.*;
-- Erasing a person's data puts the rows of a day together (spanmeter erase).
GRANT OPTIMIZE ON ${DATABASE}.*;
GRANT SELECT ON system.mutations;
-- Whoever runs the server looks here for who asked what, what runs, and what takes room.
GRANT SELECT ON system.query_log;
GRANT SELECT ON system.session_log;
GRANT SELECT ON system.processes;
GRANT SELECT ON system.parts;
-- For each engine that a statement of ours names.
GRANT TABLE ENGINE ON ${ENGINE};
