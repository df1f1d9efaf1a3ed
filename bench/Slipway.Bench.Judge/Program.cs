using Slipway.Bench.Judge;

// Claims: 2,000,000 bad events a second are folded on one core, by the process alone and from batches to evidence; healthy candidates are
// called harmful at most as often as α allows, whatever the traffic does; so are candidates at the edge of harm, and those beyond it called no
// worse; equal ones are promoted; harm is found as fast as the published simulations of these processes say.
return new[] { Throughput.Hold(), FalseAlarms.Hold(), WrongVerdicts.Hold(), Detection.Hold() }.All(holds => holds) ? 0 : 1;
