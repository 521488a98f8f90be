-- A viewer, such as grafana, reads every table and view of the database, and no other.
GRANT SELECT ON ${DATABASE}.*;
