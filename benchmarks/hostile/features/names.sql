-- Names that are taken for something else.

--# names_of_ours
create table t (t int, hl7ops_row int, ctid_ int, x text);
create table hl7ops_row (hl7ops_row int, t text);
create table r ("row" int, r int, "*" int);
insert into t values (1, 2, 3, 'a'); insert into hl7ops_row values (1, 'b'); insert into r values (1, 2, 3);
create table record (record int, "hash_record_extended" int, tableoid_ int);
insert into record values (1, 2, 3);

--# dotted_names
create schema "a.b"; create schema "a"; create table "a.b"."c" (n int); create table "a"."b.c" (n int);
insert into "a.b"."c" values (1), (2); insert into "a"."b.c" values (3), (4);
create sequence "a.b"."s"; create sequence "a"."b.s"; select nextval('"a.b".s'), setval('a."b.s"', 77);

--# quoted_names
create schema "it's ""so""";
create table "it's ""so"""."new
line" ("a ""b""" int, "c'd" int, "%s" int, "%(n)s" int, "{}" int, "$1" int, "\n" int, ":x" int);
insert into "it's ""so"""."new
line" values (1, 2, 3, 4, 5, 6, 7, 8);
create table " " (" " int, "  " int); insert into " " values (1, 2);
create index "100%" on " " (" ");
create table "tab	ulator" ("semi;colon" int, "--" int, "/*" int);
create table "back\slash" ("\." int); insert into "back\slash" values (1);

--# long_names
create table "123456789012345678901234567890123456789012345678901234567890123" (
  "abcdefghijklmnopqrstuvwxyzabcdefghijklmnopqrstuvwxyzabcdefghijk" int primary key,
  "éééééééééééééééééééééééééééééé" text);
insert into "123456789012345678901234567890123456789012345678901234567890123" values (1, 'x');
create sequence "éééééééééééééééééééééééééééééés";

--# keywords
create schema "select"; create table "select"."table" ("from" int, "where" int, "user" text, "order" int);
insert into "select"."table" values (1, 2, 'u', 3);
create table "user" ("current_user" int, "default" int default 7, "null" int); insert into "user" values (1, 2, 3);
create type "type" as enum ('type'); create table "type_" ("type" "type"); insert into "type_" values ('type');
create role "user"; create role "public_" ; create role "select"; grant select on "user" to "select";

--# shadowing
-- Objects of the user's that bear the names of PostgreSQL's own.
create table public.pg_class (relname text, n int); insert into public.pg_class values ('x', 1);
create function public.lower(text) returns text language sql as $$ select 'shadow' $$;
create function public.sum_int(int, int) returns int language sql as 'select 0';
create aggregate public.sum(int) (sfunc = public.sum_int, stype = int, initcond = '0');
create function public.count_() returns int language sql as 'select 1';
create function public.eq(int, int) returns bool language sql as 'select false';
create operator public.= (leftarg = int, rightarg = int, function = public.eq);
create table t (n int, c pg_catalog.text); insert into t values (1, 'a');
create type public.text_ as (a int); create domain public.int4 as pg_catalog.text;
create table u (n public.int4); insert into u values ('no number');
alter database :DBNAME set search_path = public, pg_catalog;

--# search_path_of_roles
alter role postgres set search_path = 'nowhere';
alter database :DBNAME set datestyle = 'German, DMY';
alter database :DBNAME set intervalstyle = 'sql_standard';
alter database :DBNAME set extra_float_digits = -3;
alter database :DBNAME set bytea_output = 'escape';
alter database :DBNAME set timezone = 'Asia/Kathmandu';
alter database :DBNAME set lc_monetary = 'C';
alter database :DBNAME set row_security = off;
alter database :DBNAME set xmloption = document;
create table t (a timestamptz, b interval, c float8, d bytea, e date);
insert into t values ('2020-03-04 05:06:07.123456', '1 mon 2 days 03:04:05', 1.0/3, '\x00ff41', '2020-03-04');

--# database_names
create database "new
line";
create database "trailing ";
create database "it's";
create database "say ""so""";
create database "host=nowhere port=1";
create database "postgresql://nowhere:1/x";
create database "100%";
create database "-h";
create database "back\slash";
create database "Éé日本";
create database "select";
create database " ";
\c "dbname='postgresql://nowhere:1/x'"
create table t as select 1 as n;
\c "dbname='host=nowhere port=1'"
create table t as select 2 as n;
\c "dbname='trailing '"
create table t as select 3 as n;

--# role_names
create role "it's ""so"" =" login; create role "new
line"; create role "100%"; create role "trailing "; create role "a,b"; create role "-x";
grant "new
line" to "it's ""so"" =";
create table t (n int); grant select on t to "it's ""so"" =", "100%" with grant option; alter table t owner to "trailing ";
alter role "a,b" set search_path = "a,b", public;

--# encodings
create database ascii_ encoding 'SQL_ASCII' locale 'C' template template0;
create database latin encoding 'LATIN1' locale 'C' template template0;
create database latin9 encoding 'LATIN9' locale 'C' template template0;
\c latin
set client_encoding = 'UTF8';
create schema "schön"; create table "schön"."Größe" ("für" text primary key);
insert into "schön"."Größe" values ('äöü'), ('ß'); comment on table "schön"."Größe" is 'ÄÖ';
create sequence "schön"."zähler";
\c latin9
set client_encoding = 'UTF8';
create table "€" ("€" text); insert into "€" values ('€');
\c ascii_
set client_encoding = 'SQL_ASCII';
create table "Größe" ("für" text); insert into "Größe" values ('äöü');
create table bytes_ (a text); insert into bytes_ values (E'\xff\xfe'), (E'caf\xe9');
do $$ begin execute E'create table "caf\xe9" ("n\xe9" int)'; execute E'insert into "caf\xe9" values (1)'; end $$;
do $$ begin execute E'create sequence "s\xe9"'; execute E'comment on table "caf\xe9" is ''\xe9'''; end $$;
