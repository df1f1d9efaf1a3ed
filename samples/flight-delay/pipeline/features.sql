-- From flights to features, in DuckDB's SQL. The dataset `flights` is a view here;
-- the tables train, april, routes and hours are what the spec declares as outputs.

CREATE TEMP TABLE flown AS
SELECT date::DATE AS day, origin, destination,
       hour(date) AS hour, isodow(date) AS weekday, distance,
       (delay > getvariable('cutoff_minutes'))::INTEGER AS late
FROM flights
WHERE date < DATE '2001-05-01';

-- How often a route, and an airport at an hour, was late up to and including each day. History ends with March.
-- Everybody starts at 40 late flights of 200, so that a rare route is not judged by two flights.
CREATE MACRO rate(late, flights) AS round((40 + late) / (200 + flights), 4);

CREATE TEMP TABLE route_history AS
SELECT origin, destination, day, rate(sum(sum(late)) OVER route_so_far, sum(count(*)) OVER route_so_far) AS rate
FROM flown
WHERE day < DATE '2001-04-01'
GROUP BY origin, destination, day
WINDOW route_so_far AS (PARTITION BY origin, destination ORDER BY day);

CREATE TEMP TABLE hour_history AS
SELECT origin, hour, day, rate(sum(sum(late)) OVER hour_so_far, sum(count(*)) OVER hour_so_far) AS rate
FROM flown
WHERE day < DATE '2001-04-01'
GROUP BY origin, hour, day
WINDOW hour_so_far AS (PARTITION BY origin, hour ORDER BY day);

-- A flight sees the history of earlier days only: never its own outcome, and in April nothing after March.
CREATE TEMP TABLE features AS
SELECT f.*, coalesce(r.rate, 0.2) AS route_rate, coalesce(h.rate, 0.2) AS hour_rate
FROM flown f
ASOF LEFT JOIN route_history r ON f.origin = r.origin AND f.destination = r.destination AND f.day > r.day
ASOF LEFT JOIN hour_history h ON f.origin = h.origin AND f.hour = h.hour AND f.day > h.day;

-- ORDER BY ALL: the same rows in the same order on every machine, whatever its number of threads.
CREATE TABLE train AS
SELECT hour, weekday, distance, route_rate, hour_rate, late
FROM features
WHERE day < DATE '2001-04-01'
ORDER BY ALL;

CREATE TABLE april AS
SELECT day, origin, destination, hour, weekday, distance, route_rate, hour_rate, late
FROM features
WHERE day >= DATE '2001-04-01'
ORDER BY ALL;

CREATE TABLE routes AS
SELECT origin, destination, arg_max(rate, day) AS rate FROM route_history GROUP BY ALL ORDER BY ALL;

CREATE TABLE hours AS
SELECT origin, hour, arg_max(rate, day) AS rate FROM hour_history GROUP BY ALL ORDER BY ALL;
