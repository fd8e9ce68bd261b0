-- The first data of a self-run pair, run once by start.sh in template1. Each line is a statement. Set passwords after.
CREATE ROLE replicator LOGIN REPLICATION
GRANT EXECUTE ON FUNCTION pg_ls_dir(text, boolean, boolean) TO replicator
GRANT EXECUTE ON FUNCTION pg_stat_file(text, boolean) TO replicator
GRANT EXECUTE ON FUNCTION pg_read_binary_file(text) TO replicator
GRANT EXECUTE ON FUNCTION pg_read_binary_file(text, bigint, bigint, boolean) TO replicator
GRANT pg_checkpoint TO replicator
CREATE ROLE pult LOGIN
GRANT pg_monitor, pg_signal_backend TO pult
GRANT EXECUTE ON FUNCTION pg_promote(boolean, integer) TO pult
CREATE DATABASE pult OWNER pult
ALTER DATABASE postgres OWNER TO pult
-- For each application: a role that owns its database, and that pult is a member of, so that pult may close it.
CREATE ROLE app LOGIN
GRANT app TO pult
CREATE DATABASE app OWNER app
