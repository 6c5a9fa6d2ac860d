create table container (
    number text primary key,
    tonnes numeric not null check (tonnes > 0),
    unloaded_at timestamp
);

create view waiting_containers as
select number, tonnes from container where unloaded_at is null;
