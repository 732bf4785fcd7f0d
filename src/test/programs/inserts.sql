create table account (id integer primary key, owner text, amount integer);
begin;
with recursive n(i) as (select 1 union all select i + 1 from n where i < 300)
insert into account (owner, amount) select 'owner ' || i, i * 37 % 1000 from n;
commit;
create index by_amount on account (amount);
update account set amount = amount + 1 where id % 3 = 0;
delete from account where id % 5 = 0;
select count(*), sum(amount), min(owner), max(owner) from account;
select amount / 100 as hundreds, count(*) from account group by hundreds order by hundreds;
select random() is not null;
vacuum;
