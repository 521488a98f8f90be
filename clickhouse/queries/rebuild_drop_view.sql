-- Beside what is rebuilt: nothing is to land there.
DROP VIEW IF EXISTS ${SHADOW}.${VIEW} SYNC;
