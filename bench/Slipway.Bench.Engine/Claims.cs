using System.Diagnostics;
using System.Globalization;
using System.Text;

namespace Slipway.Bench.Engine;

/// <summary>Each claim with its reference, in turn.</summary>
internal sealed class Claims(string folder, string hello, string slipway)
{
    private const int StageCount = 1_000, FileCount = 10_000, ManyFiles = 200_000, Runs = 9, RunsOfAll = 3, StatusAllowance = 40, RunAllowance = 50, StageAllowance = 25, StagesEachSecond = 60;
    private const long AllowedPeak = 300_000;

    /// <summary>Every stage independent of the others, with ten input files each.</summary>
    private string Graph => Path.Combine(folder, "graph");

    /// <summary>1,000 executed stages with two at a time, then the cost of one.</summary>
    public bool Stages()
    {
        var rates = new double[RunsOfAll];
        for (var run = 0; run < RunsOfAll; run++)
        {
            var all = Path.Combine(folder, $"all{run}");
            WriteStages(all, "slipway.yaml", StageCount);
            rates[run] = StageCount / Seconds(slipway, "-C", all, "run", "--quiet", "--jobs", "2").Seconds;
        }

        var rate = Median(rates);
        WriteGraph();
        var rateOfGraph = StageCount / Seconds(slipway, "-C", Graph, "run", "--quiet", "--jobs", "2").Seconds;
        Console.WriteLine($"{StageCount} stages, two at a time: {string.Join(", ", rates.Select(each => $"{each:0}"))} stages/s; with {FileCount / StageCount} input files each, {rateOfGraph:0}");
        var each = Path.Combine(folder, "each");
        WriteStages(each, "slipway.yaml", 50);
        WriteStages(each, "one.yaml", 1);
        var (fifty, one, plain) = (new double[Runs], new double[Runs], new double[Runs]);
        for (var run = -1; run < Runs; run++)
        {
            var took = (Forced("slipway.yaml"), Forced("one.yaml"), Seconds("/bin/sh", "-c", $"for i in $(seq 50); do cp {each}/in.txt {each}/plain; done").Seconds);
            if (run >= 0)
                (fifty[run], one[run], plain[run]) = took;
        }

        var overhead = (Median(fifty) - Median(one)) / 49 - Median(plain) / 50;
        Console.WriteLine($"a stage: {overhead * 1000:0.0} ms beside copying its file, which takes {Median(plain) / 50 * 1000:0.00} ms");
        return Hold("overhead of a stage, ms", overhead * 1000, atMost: StageAllowance) & Hold($"{StageCount} stages, two at a time, stages/s", rate, atLeast: StagesEachSecond);

        double Forced(string spec) => Seconds(slipway, "-C", each, "--file", spec, "run", "--quiet", "--force").Seconds;
    }

    /// <summary>After <see cref="Stages"/>, in the same project.</summary>
    public bool NothingToDo()
    {
        WriteNinja();
        var (find, start, status, run, ninja) = (new double[Runs], new double[Runs], new double[Runs], new double[Runs], new double[Runs]);
        for (var i = -2; i < Runs; i++)
        {
            var took = (
                Seconds("find", Graph, "-not", "-path", "*/.slipway/*", "-printf", "%p %s %T@ %C@ %i\n").Seconds,
                Seconds(hello).Seconds,
                Seconds(slipway, "-C", Graph, "status").Seconds,
                Seconds(slipway, "-C", Graph, "run", "--quiet").Seconds,
                File.Exists("/usr/bin/ninja") ? Seconds("/usr/bin/ninja", "-C", Graph, "--quiet").Seconds : 0);
            if (i >= 0)
                (find[i], start[i], status[i], run[i], ninja[i]) = took;
        }

        var allowed = 3 * Median(find) + Median(start) + StatusAllowance / 1000.0;
        Console.WriteLine($"find {Median(find) * 1000:0} ms, hello {Median(start) * 1000:0} ms, status {Median(status) * 1000:0} ms, run {Median(run) * 1000:0} ms"
            + (File.Exists("/usr/bin/ninja") ? $", ninja {Median(ninja) * 1000:0} ms" : "; ninja is not installed"));
        return Hold("status, ms", Median(status) * 1000, atMost: allowed * 1000) & Hold("run, ms", Median(run) * 1000, atMost: allowed * 1000 + RunAllowance);
    }

    public bool Memory()
    {
        var (few, many) = (Peak("few", FileCount), Peak("many", ManyFiles));
        return Hold($"kilobytes over {FileCount} files", few, atMost: AllowedPeak) & Hold($"kilobytes over {ManyFiles} files", many, atMost: AllowedPeak);

        double Peak(string name, int files)
        {
            var project = Path.Combine(folder, name);
            for (var i = 0; i < files; i++)
                Write(Path.Combine(project, "data", (i % 500).ToString(CultureInfo.InvariantCulture), i.ToString(CultureInfo.InvariantCulture)), "x");
            Write(Path.Combine(project, "slipway.yaml"), "slipway: 1\nname: files\nstages:\n  count: { run: find data -type f -printf x > out.txt, in: [data/], out: { o: out.txt } }\n");
            return Seconds(slipway, "-C", project, "run", "--quiet").Peak;
        }
    }

    private static void WriteStages(string project, string spec, int count)
    {
        Write(Path.Combine(project, "in.txt"), "x");
        Write(Path.Combine(project, spec), "slipway: 1\nname: each\nstages:\n" + string.Concat(
            Enumerable.Range(0, count).Select(i => $"  s{i:0000}:\n    run: [cp, in.txt, out/{i:0000}]\n    in: [in.txt]\n    out: {{ o: out/{i:0000} }}\n")));
    }

    private void WriteGraph()
    {
        var spec = new StringBuilder("slipway: 1\nname: graph\nstages:\n");
        for (var i = 0; i < StageCount; i++)
        {
            for (var j = 0; j < FileCount / StageCount; j++)
                Write(Path.Combine(Graph, "in", $"{i:0000}", $"{j}.txt"), $"{i} {j}");
            spec.Append(CultureInfo.InvariantCulture, $"  s{i:0000}:\n    run: [cp, in/{i:0000}/0.txt, out/{i:0000}]\n    in: [in/{i:0000}/]\n    out: {{ o: out/{i:0000} }}\n");
        }

        Write(Path.Combine(Graph, "slipway.yaml"), spec.ToString());
    }

    private void WriteNinja()
    {
        var rules = new StringBuilder("rule cp\n  command = cp $first $out\n");
        for (var i = 0; i < StageCount; i++)
        {
            var inputs = Enumerable.Range(0, FileCount / StageCount).Select(j => $"in/{i:0000}/{j}.txt");
            rules.Append(CultureInfo.InvariantCulture, $"build ninja-out/{i:0000}: cp {string.Join(' ', inputs)}\n  first = in/{i:0000}/0.txt\n");
        }

        Write(Path.Combine(Graph, "build.ninja"), rules.ToString());
    }

    private static void Write(string path, string text)
    {
        Directory.CreateDirectory(Path.GetDirectoryName(path)!);
        File.WriteAllText(path, text);
    }

    /// <summary>A whole process; its peak in kilobytes, as time(1) of bash knows none.</summary>
    private static (double Seconds, long Peak) Seconds(string program, params string[] arguments)
    {
        var start = new ProcessStartInfo(program, arguments) { RedirectStandardOutput = true, RedirectStandardError = true };
        var clock = Stopwatch.StartNew();
        using var process = Process.Start(start)!;
        var errors = process.StandardError.ReadToEndAsync();
        var output = process.StandardOutput.ReadToEndAsync();
        var peak = 0L;
        while (!process.WaitForExit(20))
            peak = Math.Max(peak, PeakOf(process.Id));
        var seconds = clock.Elapsed.TotalSeconds;
        Task.WaitAll(errors, output);
        return process.ExitCode == 0 ? (seconds, peak) : throw new InvalidOperationException($"{program} {string.Join(' ', arguments)} ended with {process.ExitCode}: {errors.Result}{output.Result}");
    }

    private static long PeakOf(int id)
    {
        try
        {
            var line = File.ReadLines($"/proc/{id}/status").FirstOrDefault(line => line.StartsWith("VmHWM:", StringComparison.Ordinal));
            return line is null ? 0 : long.Parse(line.Split(' ', StringSplitOptions.RemoveEmptyEntries)[1], CultureInfo.InvariantCulture);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            return 0;       // it ended meanwhile
        }
    }

    private static bool Hold(string what, double value, double atMost = double.PositiveInfinity, double atLeast = double.NegativeInfinity)
    {
        var holds = value <= atMost && value >= atLeast;
        var claim = double.IsPositiveInfinity(atMost) ? $"at least {atLeast:0.##}, ratio {value / atLeast:0.00}" : $"at most {atMost:0.##}, ratio {value / atMost:0.00}";
        Console.WriteLine($"{what}: {value:0.##}; claim: {claim}: {(holds ? "PASS" : "FAIL")}");
        return holds;
    }

    private static double Median(double[] values)
    {
        var sorted = values.Order().ToArray();
        return (sorted[(sorted.Length - 1) / 2] + sorted[sorted.Length / 2]) / 2;
    }
}
