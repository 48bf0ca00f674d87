-- Roles and databases for a production server. Run once as a superuser; set the passwords yourself (\password).
--
-- notetrace_owner owns the tables and runs migrations (DATABASE_OWNER_URL).
-- notetrace_app   is what web and workers connect as (DATABASE_URL): it owns nothing and is no superuser.
-- notetrace_queue owns the queue's own database, only where BROKER_URL points at PostgreSQL (PGMQ).

CREATE ROLE notetrace_owner LOGIN;
CREATE ROLE notetrace_app LOGIN;
CREATE ROLE notetrace_queue LOGIN;

CREATE DATABASE notetrace OWNER notetrace_owner ENCODING 'UTF8' TEMPLATE template0;
REVOKE ALL ON DATABASE notetrace FROM PUBLIC;
GRANT CONNECT ON DATABASE notetrace TO notetrace_app;

CREATE DATABASE queue OWNER notetrace_queue ENCODING 'UTF8' TEMPLATE template0;
REVOKE ALL ON DATABASE queue FROM PUBLIC;

\connect notetrace
GRANT USAGE ON SCHEMA public TO notetrace_app;
GRANT CREATE ON SCHEMA public TO notetrace_owner;
ALTER DEFAULT PRIVILEGES FOR ROLE notetrace_owner IN SCHEMA public
    GRANT SELECT, INSERT, UPDATE, DELETE ON TABLES TO notetrace_app;
ALTER DEFAULT PRIVILEGES FOR ROLE notetrace_owner IN SCHEMA public
    GRANT USAGE, SELECT ON SEQUENCES TO notetrace_app;
