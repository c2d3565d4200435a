-- What happens all the time while a backup is taken. Every committed state of a table in the schema
-- `busy` holds 100 rows of one generation, or 50 of each of two partitions, or none at all.

--# work_tables
create schema if not exists busy;
--@ busy
create table busy.work_:n as select :n as gen from generate_series(1, 100);
drop table busy.work_:n;

--# truncate_and_reload
create schema if not exists busy; create table busy.reloaded as select 0 as gen from generate_series(1, 100);
--@ busy
begin; truncate busy.reloaded; insert into busy.reloaded select :n from generate_series(1, 100); commit;

--# rewritten
create schema if not exists busy; create table busy.rewritten as select 0 as gen, 'x' as pad from generate_series(1, 100);
--@ busy
alter table busy.rewritten alter gen type bigint, alter pad type varchar(10);
update busy.rewritten set gen = :n;
alter table busy.rewritten alter gen type int, alter pad type text;

--# vacuumed_full
create schema if not exists busy; create table busy.vacuumed as select 0 as gen from generate_series(1, 100); create index vi on busy.vacuumed (gen); alter table busy.vacuumed cluster on vi;
--@ busy
update busy.vacuumed set gen = :n;
vacuum full busy.vacuumed;
cluster busy.vacuumed;
reindex table busy.vacuumed;

--# refreshed
create schema if not exists busy; create table busy.base_ as select 0 as gen from generate_series(1, 100); create materialized view busy.refreshed as select * from busy.base_;
--@ busy
update busy.base_ set gen = :n;
refresh materialized view busy.refreshed;

--# rotated_partitions
create schema if not exists busy; create table busy.rotated (gen int, n int) partition by range (n);
--@ busy
begin; create table busy.part_:n partition of busy.rotated for values from (:n * 1000) to (:n * 1000 + 1000); insert into busy.rotated select :n, :n * 1000 + g from generate_series(1, 100) g; commit;
drop table busy.part_:n;

--# writing
create schema if not exists busy; create table busy.written as select 0 as gen from generate_series(1, 100); create sequence busy.counter; create table plain (n int);
--@ busy
select nextval('busy.counter');
update busy.written set gen = :n;

--# swapped_tables
create schema if not exists busy; create table busy.current_ as select 0 as gen from generate_series(1, 100);
--@ busy
begin; create table busy.next_ as select :n as gen from generate_series(1, 100); drop table busy.current_; alter table busy.next_ rename to current_; commit;

--# databases_come_and_go
create table t (a int);
--@ busy
create database passing_:n strategy file_copy;
drop database passing_:n;

--# roles_come_and_go
create table t (a int);
--@ busy
create role passing_:n;
drop role passing_:n;

--# schemas_come_and_go
create table t (a int);
--@ busy
begin; create schema busy_:n; create table busy_:n.a (n int primary key); create view busy_:n.v as select * from busy_:n.a; create function busy_:n.f() returns int language sql as 'select 1'; create type busy_:n.e as enum ('x'); commit;
drop schema busy_:n cascade;
