-- May's and June's flights as requests, in the order of departure: live traffic for ./quickstart, each with how it turned out, which
-- nobody knows when it departs. One of fifty, so that two months pass in minutes.
CREATE TEMP TABLE flown AS
SELECT strftime(date, '%Y-%m-%dT%H:%M') AS departure, origin, destination, hour(date) AS hour, isodow(date) AS weekday, distance,
       (delay > 15)::INTEGER AS late
FROM flights
WHERE date >= DATE '2001-05-01' AND date < DATE '2001-07-01' AND hash(date, origin, destination, delay) % 50 = 0;

CREATE TABLE may AS SELECT * FROM flown WHERE departure < '2001-06-01' ORDER BY ALL;
CREATE TABLE june AS SELECT * FROM flown WHERE departure >= '2001-06-01' ORDER BY ALL;
