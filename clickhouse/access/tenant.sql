-- A tenant reads the tables that tell rows of tenants apart, each under a row filter, and the views that
-- read nothing else.
GRANT SELECT ON ${DATABASE}.${READABLE};
