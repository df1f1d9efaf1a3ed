using System.Diagnostics;
using System.Globalization;
using System.Security.Cryptography;
using Slipway.Primitives.Files;

namespace Slipway.Bench.Store;

/// <summary>Each claim with its reference, in turn.</summary>
internal sealed class Claims(string folder, string slipway)
{
    private const long LargeBytes = 2L << 30, AllowedPeak = 200_000;
    private const int Files = 10_000, FileBytes = 4096, LargeRuns = 3, SmallRuns = 7;

    private readonly string itself = Environment.ProcessPath!;

    private string Large => Path.Combine(folder, "large.bin");

    private string Tree => Path.Combine(folder, "tree");

    public bool AddLarge()
    {
        WriteLarge();
        var (ours, hashing, writing, peak) = (new double[LargeRuns], new double[LargeRuns], new double[LargeRuns], 0L);
        for (var run = -1; run < LargeRuns; run++)
        {
            var store = Path.Combine(folder, "objects");
            var (added, memory) = Once("add", Large, store);
            Directory.Delete(store, recursive: true);
            var (hashed, written) = (Seconds("openssl", "dgst", "-sha256", Large), WritePlain());
            if (run >= 0)
                (ours[run], hashing[run], writing[run], peak) = (added, hashed, written, Math.Max(peak, memory));
        }

        var slower = Math.Max(Median(hashing), Median(writing));
        Tell("add 2 GiB", ours, LargeBytes);
        Tell("openssl dgst", hashing, LargeBytes, isReference: true);
        Tell("writing and flushing", writing, LargeBytes, isReference: true);
        return Hold("rate to the slower reference", slower / Median(ours), atLeast: 0.8) & HoldPeak(peak);
    }

    public bool AddSmall()
    {
        var random = new Random(7);
        var bytes = new byte[FileBytes];
        for (var i = 0; i < Files; i++)
        {
            random.NextBytes(bytes);
            var path = Path.Combine(Tree, (i % 100).ToString(CultureInfo.InvariantCulture), i.ToString(CultureInfo.InvariantCulture));
            Directory.CreateDirectory(Path.GetDirectoryName(path)!);
            File.WriteAllBytes(path, bytes);
        }

        AtomicFile.FlushFileSystem(folder);
        var (ours, plain, peak) = (new double[SmallRuns], new double[SmallRuns], 0L);
        for (var run = -1; run < SmallRuns; run++)
        {
            var store = Path.Combine(folder, "objects");
            var (added, memory) = Once("add", Tree, store);
            Directory.Delete(store, recursive: true);
            var copied = CopyPlain();
            if (run >= 0)
                (ours[run], plain[run], peak) = (added, copied, Math.Max(peak, memory));
        }

        Tell($"add {Files:N0} files of 4 KiB", ours);
        Tell("plain loop, one syncfs", plain, isReference: true);
        return Hold("time to the reference", Median(ours) / Median(plain), atMost: 2) & HoldPeak(peak);
    }

    public bool LookAgain()
    {
        var index = Path.Combine(folder, "digests");
        Once("look", Tree, index);
        var (ours, find, peak) = (new double[SmallRuns], new double[SmallRuns], 0L);
        var start = Median([.. Enumerable.Range(0, SmallRuns).Select(_ => Seconds("find", folder, "-maxdepth", "0"))]);
        for (var run = -1; run < SmallRuns; run++)
        {
            var (looked, memory) = Once("look", Tree, index);
            var found = Seconds("find", Tree, "-printf", "%p %s %T@ %C@ %i\n") - start;
            if (run >= 0)
                (ours[run], find[run], peak) = (looked, found, Math.Max(peak, memory));
        }

        Tell("look at them again", ours);
        Tell("find -printf", find, isReference: true);
        return Hold("time to the reference", Median(ours) / Median(find), atMost: 3) & HoldPeak(peak);
    }

    public bool SealAndVerify()
    {
        var project = Path.Combine(folder, "project");
        Directory.CreateDirectory(Path.Combine(project, "serve"));
        File.WriteAllText(Path.Combine(project, "serve/predict.py"), "def predict(inputs):\n    return inputs\n");
        File.WriteAllText(Path.Combine(project, "slipway.yaml"), $$"""
            slipway: 1
            name: large
            stages:
              make: { run: "yes slipway | head -c {{LargeBytes}} > model.bin", out: { model: model.bin } }
            model:
              artifact: make.model
              runtime: { process: python3 -m slipway_predict serve/predict.py, in: [serve/predict.py] }
              task: regression
              signature:
                inputs: [{ name: x, type: float32, shape: [-1, 1] }]
                outputs: [{ name: y, type: float32, shape: [-1, 1] }]
            """);
        Slipway(project, "keys", "new", "--no-passphrase");
        Slipway(project, "run", "-q");
        Slipway(project, "run", "-q");      // which reads the checked-out model once, and remembers it
        Directory.Delete(Path.Combine(project, ".slipway/bundles"), recursive: true);
        var (_, sealing) = Slipway(project, "run", "-q");
        var (ours, hashing, peak) = (new double[LargeRuns], new double[LargeRuns], sealing.Peak);
        for (var run = -1; run < LargeRuns; run++)
        {
            var (verified, usage) = Slipway(project, "verify", "large");
            var hashed = Seconds("openssl", "dgst", "-sha256", Path.Combine(project, "model.bin"));
            if (run >= 0)
                (ours[run], hashing[run], peak) = (verified, hashed, Math.Max(peak, usage.Peak));
        }

        Tell("verify 2 GiB", ours, LargeBytes);
        Tell("openssl dgst", hashing, LargeBytes, isReference: true);
        return Hold("rate to the reference", Median(hashing) / Median(ours), atLeast: 0.8)
            & Hold("a run that seals 2 GiB of a known stage reads the bytes, in times", sealing.Read / (double)LargeBytes, atMost: 1.05)
            & Hold("and writes them, in times", sealing.Written / (double)LargeBytes, atMost: 1.05)
            & HoldPeak(peak);
    }

    private void WriteLarge()
    {
        var piece = new byte[1 << 20];
        using var file = File.OpenHandle(Large, FileMode.CreateNew, FileAccess.Write);
        for (var at = 0L; at < LargeBytes; at += piece.Length)
        {
            RandomNumberGenerator.Fill(piece);
            RandomAccess.Write(file, piece, at);
        }

        AtomicFile.Flush(file, Large);
    }

    /// <summary>The rate of the disk: as many bytes from memory, in pieces of a mebibyte, and a flush.</summary>
    private double WritePlain()
    {
        var path = Path.Combine(folder, "written.bin");
        var piece = new byte[1 << 20];
        RandomNumberGenerator.Fill(piece);
        var clock = Stopwatch.StartNew();
        using (var file = File.OpenHandle(path, FileMode.CreateNew, FileAccess.Write))
        {
            for (var at = 0L; at < LargeBytes; at += piece.Length)
                RandomAccess.Write(file, piece, at);
            AtomicFile.Flush(file, path);
        }

        var seconds = clock.Elapsed.TotalSeconds;
        File.Delete(path);
        return seconds;
    }

    private double CopyPlain()
    {
        var to = Directory.CreateDirectory(Path.Combine(folder, "plain")).FullName;
        var clock = Stopwatch.StartNew();
        foreach (var path in Directory.EnumerateFiles(Tree, "*", SearchOption.AllDirectories))
        {
            var bytes = File.ReadAllBytes(path);
            File.WriteAllBytes(Path.Combine(to, Convert.ToHexStringLower(SHA256.HashData(bytes))), bytes);
        }

        AtomicFile.FlushFileSystem(folder);
        var seconds = clock.Elapsed.TotalSeconds;
        Directory.Delete(to, recursive: true);
        return seconds;
    }

    private (double Seconds, long Peak) Once(params string[] arguments)
    {
        using var process = Process.Start(new ProcessStartInfo(itself, ["--once", .. arguments]) { RedirectStandardOutput = true })!;
        var said = process.StandardOutput.ReadToEnd().Split(' ');
        process.WaitForExit();
        return process.ExitCode == 0 ? (double.Parse(said[0], CultureInfo.InvariantCulture), long.Parse(said[1], CultureInfo.InvariantCulture)) : throw new InvalidOperationException(string.Join(' ', arguments));
    }

    private static double Seconds(string program, params string[] arguments)
    {
        var clock = Stopwatch.StartNew();
        using var process = Process.Start(new ProcessStartInfo(program, arguments) { RedirectStandardOutput = true })!;
        process.StandardOutput.ReadToEnd();
        process.WaitForExit();
        return process.ExitCode == 0 ? clock.Elapsed.TotalSeconds : throw new InvalidOperationException(program);
    }

    /// <summary>The whole program; bytes read and written are those of its own system calls, and its children's are not among them.</summary>
    private (double Seconds, Usage Usage) Slipway(string project, params string[] arguments)
    {
        var start = new ProcessStartInfo(slipway, ["-C", project, .. arguments]) { RedirectStandardOutput = true, RedirectStandardError = true };
        start.Environment["XDG_CONFIG_HOME"] = folder;
        var clock = Stopwatch.StartNew();
        using var process = Process.Start(start)!;
        var errors = process.StandardError.ReadToEndAsync();
        _ = process.StandardOutput.ReadToEndAsync();
        var usage = new Usage(0, 0, 0);
        while (!process.WaitForExit(5))
            usage = Usage.Of(process.Id) ?? usage;
        return process.ExitCode == 0 ? (clock.Elapsed.TotalSeconds, usage) : throw new InvalidOperationException(errors.Result);
    }

    private static void Tell(string what, double[] seconds, long bytes = 0, bool isReference = false)
    {
        var rate = bytes > 0 ? FormattableString.Invariant($", {bytes / Median(seconds) / 1e6:0} MB/s") : "";
        Console.WriteLine(FormattableString.Invariant(
            $"{what,-30} median {Median(seconds) * 1000:0.0} ms (min {seconds.Min() * 1000:0.0}, max {seconds.Max() * 1000:0.0}, {seconds.Length} runs){rate}{(isReference ? "  reference" : "")}"));
    }

    private static bool Hold(string what, double ratio, double atLeast = 0, double atMost = double.MaxValue)
    {
        var holds = ratio >= atLeast && ratio <= atMost;
        var claim = atLeast > 0 ? FormattableString.Invariant($"at least {atLeast}") : FormattableString.Invariant($"at most {atMost}");
        Console.WriteLine(FormattableString.Invariant($"{what} {ratio:0.00}; claim: {claim}: {(holds ? "PASS" : "FAIL")}"));
        return holds;
    }

    private static bool HoldPeak(long kilobytes)
    {
        var holds = kilobytes < AllowedPeak;
        Console.WriteLine(FormattableString.Invariant($"peak memory {kilobytes / 1000.0:0} MB; claim: under {AllowedPeak / 1000} MB: {(holds ? "PASS" : "FAIL")}"));
        return holds;
    }

    private static double Median(double[] values)
    {
        var sorted = values.Order().ToArray();
        return (sorted[(sorted.Length - 1) / 2] + sorted[sorted.Length / 2]) / 2;
    }
}
