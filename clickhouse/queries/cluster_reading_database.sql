-- Beside the tables of each server, a database that reads all shards of the cluster.
CREATE DATABASE IF NOT EXISTS ${READING} ON CLUSTER ${CLUSTER};
