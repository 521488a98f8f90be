-- What a rebuild works in, whatever an earlier one has left of it.
DROP DATABASE IF EXISTS ${SHADOW} SYNC;
