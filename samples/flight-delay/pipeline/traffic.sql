-- May's flights as requests, in the order of departure: live traffic for ./quickstart. One of ten, so that the file stays small.
CREATE TABLE may AS
SELECT date::DATE AS day, origin, destination, hour(date) AS hour, isodow(date) AS weekday, distance
FROM flights
WHERE date >= DATE '2001-05-01' AND date < DATE '2001-06-01' AND hash(date, origin, destination, delay) % 10 = 0
ORDER BY date, origin, destination, delay;
