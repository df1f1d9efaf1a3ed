CREATE TABLE train AS SELECT day, x, kind, late FROM trips WHERE day < DATE '2020-03-01';
CREATE TABLE judge AS SELECT day, x, kind, late FROM trips WHERE day >= DATE '2020-03-01';
