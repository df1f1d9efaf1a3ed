using System.Diagnostics;

namespace Slipway.EndToEnd;

public sealed class CrashTests
{
    [Fact]
    public void Killed_at_any_instant_the_next_run_gives_the_same_result()
    {
        using var undisturbed = new TinyProject();
        undisturbed.MakeKey();
        var clock = Stopwatch.StartNew();
        var expected = DigestOf(undisturbed.Run("run", "--json"));
        var whole = clock.Elapsed;

        using var project = new TinyProject();
        project.MakeKey();
        var kills = Kills.OrElse(12);
        for (var i = 0; i < kills; i++)
        {
            using var run = project.Start("run");
            if (!run.WaitForExit(whole * (0.05 + 0.95 * i / kills)))
                run.Kill();
            run.WaitForExit();
        }

        Assert.Equal(expected, DigestOf(project.Run("run", "--json")));
        Assert.Equal(0, project.Run("verify", "tiny").Code);
    }

    [Fact]
    public void Two_runs_at_once_share_one_result()
    {
        using var project = new TinyProject();
        project.MakeKey();
        using var first = project.Start("run", "--json");
        using var second = project.Start("run", "--json");
        var outputs = new[] { first, second }.Select(run => (run, output: run.StandardOutput.ReadToEndAsync(), errors: run.StandardError.ReadToEndAsync())).ToList();
        var digests = outputs.Select(each =>
        {
            each.run.WaitForExit();
            return DigestOf(new Ended(each.run.ExitCode, each.output.Result, each.errors.Result));
        }).Distinct();
        Assert.Single(digests);
    }

    [Theory]
    [InlineData(100)]
    [InlineData(600)]
    [InlineData(1200)]
    public void Ctrl_C_ends_politely_and_the_next_run_goes_on(int milliseconds)
    {
        using var project = new TinyProject();
        project.MakeKey();
        using var run = project.Start("run");
        if (!run.WaitForExit(milliseconds))
            Process.Start("kill", ["-INT", run.Id.ToString()]).WaitForExit();
        Assert.True(run.WaitForExit(TimeSpan.FromSeconds(30)));
        Assert.True(run.ExitCode is 0 or 130, $"exit {run.ExitCode}: {run.StandardError.ReadToEnd()}");
        DigestOf(project.Run("run", "--json"));
    }

    private static string DigestOf(Ended run)
    {
        Assert.True(run.Code == 0, run.All);
        return run.Json.GetProperty("bundle").GetProperty("digest").GetString()!;
    }
}
