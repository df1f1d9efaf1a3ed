using System.Diagnostics;

// Claims: `slipway --version` takes at most 15 ms longer than a .NET hello world; `slipway status` on a project in which
// nothing changed, at most 45 ms longer. Whole processes, in turn, medians of the same run.
if (args is not [var hello, var slipway, var project])
{
    Console.Error.WriteLine("usage: Slipway.Bench.Start HELLO SLIPWAY PROJECT   (PROJECT: a folder in which `slipway run` has finished)");
    return 2;
}

const int runs = 40;
(string Name, string Program, string[] Arguments, double Allowed)[] commands =
[
    ("hello", hello, [], 0),
    ("slipway --version", slipway, ["--version"], 15),
    ("slipway status", slipway, ["-C", project, "status"], 45),
];
var times = commands.Select(_ => new double[runs]).ToArray();
for (var run = -3; run < runs; run++)
{
    for (var i = 0; i < commands.Length; i++)
    {
        var start = new ProcessStartInfo(commands[i].Program, commands[i].Arguments) { RedirectStandardOutput = true, RedirectStandardError = true };
        var clock = Stopwatch.StartNew();
        using var process = Process.Start(start)!;
        process.StandardOutput.ReadToEnd();
        process.WaitForExit();
        if (process.ExitCode != 0)
        {
            Console.Error.WriteLine($"{commands[i].Name} ended with {process.ExitCode}: {process.StandardError.ReadToEnd()}");
            return 2;
        }

        if (run >= 0)
            times[i][run] = clock.Elapsed.TotalMilliseconds;
    }
}

var kept = true;
var reference = Median(times[0]);
for (var i = 0; i < commands.Length; i++)
{
    var (median, extra) = (Median(times[i]), Median(times[i]) - reference);
    var holds = i == 0 || extra <= commands[i].Allowed;
    kept &= holds;
    Console.WriteLine($"{commands[i].Name,-18} median {median:0.0} ms (min {times[i].Min():0.0}, max {times[i].Max():0.0}, {runs} runs)"
        + (i == 0 ? "  reference" : $"  +{extra:0.0} ms, ratio {median / reference:0.00}; claim: at most +{commands[i].Allowed} ms: {(holds ? "PASS" : "FAIL")}"));
}

return kept ? 0 : 1;

static double Median(double[] values)
{
    var sorted = values.Order().ToArray();
    return (sorted[(sorted.Length - 1) / 2] + sorted[sorted.Length / 2]) / 2;
}
