using Slipway.Bench.Rollback;

// Claims: from the judge's decision to the last request that goes to a harmful candidate it takes at most 50 ms in one process, and at
// most 500 ms over the long poll with two gateways. Whole processes under steady load; the slowest of several rollbacks counts.
if (args is not [var slipway, var tiny])
{
    Console.Error.WriteLine("usage: Slipway.Bench.Rollback SLIPWAY PROJECT   (PROJECT: tests/Slipway.EndToEnd/tiny)");
    return 2;
}

const int rollbacks = 5;
var kept = true;
foreach (var (name, allowed, begin) in new (string, double, Func<Task<Setting>>)[]
{
    ("one process", 50, () => Setting.OneProcessAsync(Path.GetFullPath(slipway), tiny)),
    ("two gateways", 500, () => Setting.TwoGatewaysAsync(Path.GetFullPath(slipway), tiny)),
})
{
    using var setting = await begin();
    var (sent, answered, requests) = (new List<double>(), new List<double>(), 0L);
    for (var i = 0; i < rollbacks; i++)
    {
        var measured = await setting.MeasureAsync();
        sent.Add(measured.Sent);
        answered.Add(measured.Answered);
        requests += measured.Requests;
    }

    var holds = sent.Max() <= allowed;
    kept &= holds;
    Console.WriteLine($"{name,-14} last request sent to the candidate {Text(sent)} after the decision, its last answer {Text(answered)} "
        + $"({rollbacks} rollbacks, {requests} requests); claim: sent at most {allowed} ms after: {(holds ? "PASS" : "FAIL")}");
}

return kept ? 0 : 1;

static string Text(List<double> values) => $"{values.Order().ElementAt(values.Count / 2):0} ms (most {values.Max():0})";
