using System.Collections.Immutable;
using Slipway.Documents.Environments;
using Slipway.Documents.Runs;
using Slipway.Pipeline.Locking;
using Slipway.Primitives.Faults;
using Slipway.Tests.Pipeline.Sealing;
using Slipway.Tests.Primitives;

namespace Slipway.Tests.Pipeline.Locking;

public sealed class LockResolverTests : IDisposable
{
    private readonly TestFolder folder = new();
    private readonly Slipway.Pipeline.Sealing.SealRequest run;

    public LockResolverTests() => run = SampleRun.In(folder.Root);

    public void Dispose() => folder.Dispose();

    private HostFingerprint Py => run.Lock.Environments["py"];

    [Fact]
    public void Without_a_file_everything_is_pinned_as_found()
    {
        var resolution = Resolve(null);
        Assert.Empty(resolution.Differences);
        Assert.Same(resolution.Found, resolution.ToWrite);
        Assert.Equal(run.Lock.Data, resolution.Effective.Data);
        Assert.Equal([Py], resolution.Effective.Environments.Values);
        resolution.RequirePinnedData("slipway.lock");
    }

    [Fact]
    public void A_file_that_says_what_is_stays_as_it_is()
    {
        var resolution = Resolve(run.Lock);
        Assert.Empty(resolution.Differences);
        Assert.Null(resolution.ToWrite);
        resolution.RequirePinnedData("slipway.lock");
    }

    [Fact]
    public void Other_data_stop_the_run_and_are_never_pinned_by_it()
    {
        var pinned = run.Lock with { Data = run.Lock.Data.SetItem("flights", new DatasetPin(SampleRun.Of("old"), 100, 9)) };
        var resolution = Resolve(pinned);
        var e = Assert.Throws<SlipwayException>(() => resolution.RequirePinnedData("slipway.lock"));
        Assert.Equal(ExitCode.UnusableInput, e.Exit);
        var fault = Assert.Single(e.Faults);
        Assert.Equal("data-differs-from-lock", fault.Code);
        Assert.Equal($"slipway.lock: flights is pinned at {SampleRun.Of("old")} (9 rows, 100 bytes), found {SampleRun.Flights} (10 rows, 120 bytes)", fault.ToString());
        Assert.Contains("`slipway lock`", fault.Help);
        Assert.Null(resolution.ToWrite);
        Assert.Equal(SampleRun.Flights, resolution.Found.Data["flights"].Digest);
    }

    [Fact]
    public void A_pin_that_was_edited_stops_the_run_as_well()
    {
        var pinned = run.Lock with { Data = run.Lock.Data.SetItem("flights", run.Lock.Data["flights"] with { Rows = 11 }) };
        Assert.Throws<SlipwayException>(() => Resolve(pinned).RequirePinnedData("slipway.lock"));
    }

    [Fact]
    public void Another_host_is_a_warning_that_names_the_packages_and_the_run_records_what_it_used()
    {
        var was = Py with { Digest = SampleRun.Of("old"), Packages = Py.Packages.SetItem("libc6", "2.35").Remove("python3").Add("gone", "1") };
        var resolution = Resolve(run.Lock with { Environments = SampleRun.Map(("py", was)) });
        resolution.RequirePinnedData("slipway.lock");
        var warning = Assert.Single(resolution.Warnings);
        Assert.Equal("the environment py differs from the lock: gone 1 is gone, libc6 2.35 → 2.36-9, python3 3.11.2-6 is new", warning.Message);
        Assert.Null(resolution.ToWrite);
        Assert.Same(Py, resolution.Effective.Environments["py"]);
    }

    [Fact]
    public void Many_changed_packages_are_counted()
    {
        var was = Py with { Architecture = "arm64", Packages = Enumerable.Range(0, 8).ToImmutableSortedDictionary(i => $"p{i}", _ => "1", StringComparer.Ordinal) };
        Assert.EndsWith("p0 1 is gone, p1 1 is gone, p2 1 is gone, and 6 more", Resolve(run.Lock with { Environments = SampleRun.Map(("py", was)) }).Differences.Single().Message);
    }

    [Fact]
    public void What_is_not_pinned_yet_is_pinned_and_pins_of_nothing_are_dropped()
    {
        var pinned = run.Lock with
        {
            Data = SampleRun.Map(("trains", new DatasetPin(SampleRun.Of("t"), 1, 1))),
            Environments = run.Lock.Environments.Add("r", Py with { Name = "r" }),
        };
        var resolution = Resolve(pinned);
        Assert.Equal(
            [LockDifferenceKind.NotPinned, LockDifferenceKind.Stale, LockDifferenceKind.Stale],
            resolution.Differences.Select(difference => difference.Kind));
        resolution.RequirePinnedData("slipway.lock");
        Assert.Equal(["flights"], resolution.ToWrite!.Data.Keys);
        Assert.Equal(["py"], resolution.ToWrite.Environments.Keys);
    }

    [Fact]
    public void Writing_a_new_pin_does_not_move_another()
    {
        var was = Py with { Packages = Py.Packages.SetItem("libc6", "2.35") };
        var resolution = Resolve(run.Lock with { Data = run.Lock.Data.Clear(), Environments = SampleRun.Map(("py", was)) });
        Assert.Same(was, resolution.ToWrite!.Environments["py"]);
        Assert.Same(Py, resolution.Effective.Environments["py"]);
    }

    [Fact]
    public void The_pinned_baseline_is_the_one_that_counts()
    {
        var (old, now) = (SampleRun.Of("old"), SampleRun.Of("now"));
        var spec = run.Spec with { Evaluate = run.Spec.Evaluate! with { Baseline = "production" } };

        var moved = LockResolver.Resolve(spec, run.Lock with { Baseline = old }, run.Snapshots, [Py], now);
        Assert.Equal((old, now), (moved.Effective.Baseline, moved.Found.Baseline));
        Assert.Equal($"the baseline production is pinned at {old}, found {now}", moved.Warnings.Single().Message);
        Assert.Null(moved.ToWrite);

        var first = LockResolver.Resolve(spec, run.Lock, run.Snapshots, [Py], now);
        Assert.Equal((now, now), (first.Effective.Baseline, first.ToWrite!.Baseline));

        var gone = LockResolver.Resolve(spec, run.Lock with { Baseline = old }, run.Snapshots, [Py], null);
        Assert.Equal(old, gone.Effective.Baseline);

        var unasked = LockResolver.Resolve(run.Spec, run.Lock with { Baseline = old }, run.Snapshots, [Py], null);
        Assert.Equal(LockDifferenceKind.Stale, unasked.Differences.Single().Kind);
        Assert.Null(unasked.Effective.Baseline);
        Assert.Null(unasked.ToWrite!.Baseline);
    }

    private LockResolution Resolve(ProjectLock? pinned) => LockResolver.Resolve(run.Spec, pinned, run.Snapshots, [Py], null);
}
