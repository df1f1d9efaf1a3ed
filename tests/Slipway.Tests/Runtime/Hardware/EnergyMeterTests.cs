using System.Runtime.InteropServices;
using Slipway.Runtime.Hardware;
using Slipway.Tests.Server;

namespace Slipway.Tests.Runtime.Hardware;

public sealed partial class EnergyMeterTests : IDisposable
{
    private const long Range = 262_143_328_850;

    private readonly string root = Directory.CreateTempSubdirectory("slipway-").FullName;
    private readonly SteppedTimers clock = new();

    public void Dispose() => Directory.Delete(root, recursive: true);

    [Fact]
    public void Packages_alone_are_counted_and_together()
    {
        Write("intel-rapl:0", "package-0", 1_000_000);
        Write("intel-rapl:0:0", "core", 5);
        Write("intel-rapl:0:1", "dram", 5);
        Write("intel-rapl:1", "package-1", 7_000_000);
        Write("intel-rapl:2", "psys", 5);
        Write("intel-rapl-mmio:0", "package-0", 5);
        using var meter = new EnergyMeter(root, clock);
        Assert.Equal(0, meter.Read());
        foreach (var (zone, energy) in new[] { ("intel-rapl:0", 3_500_000), ("intel-rapl:1", 7_250_000), ("intel-rapl:0:0", 1_000_000), ("intel-rapl:2", 1_000_000), ("intel-rapl-mmio:0", 1_000_000) })
            Set(zone, energy);
        Assert.Equal(2.75, meter.Read());
    }

    [Fact]
    public void A_counter_that_begins_again_is_followed_between_two_looks()
    {
        Write("intel-rapl:0", "package-0", Range - 1_000_000);
        using var meter = new EnergyMeter(root, clock);
        Set("intel-rapl:0", Range);
        clock.Step(TimeSpan.FromSeconds(20));
        Set("intel-rapl:0", 2_000_000);
        Assert.Equal(3, meter.Read());
    }

    [Fact]
    public void What_was_not_looked_at_for_long_is_not_known_nor_is_what_comes_after()
    {
        Write("intel-rapl:0", "package-0", 1_000_000);
        using var meter = new EnergyMeter(root, new StoppedTimers(clock));
        clock.Step(TimeSpan.FromSeconds(60));
        Assert.Equal(0, meter.Read());
        clock.Step(TimeSpan.FromSeconds(61));
        Assert.Null(meter.Read());
        Assert.Null(meter.Read());
    }

    [Theory]
    [InlineData("energy_uj", null)]
    [InlineData("energy_uj", "")]
    [InlineData("energy_uj", "-1")]
    [InlineData("energy_uj", "nan")]
    [InlineData("energy_uj", "262143328851")]
    [InlineData("energy_uj", "99999999999999999999")]
    [InlineData("max_energy_range_uj", null)]
    [InlineData("max_energy_range_uj", "0")]
    public void A_counter_that_cannot_be_read_is_no_energy_of_nought(string file, string? content)
    {
        Write("intel-rapl:0", "package-0", 1_000_000);
        Write("intel-rapl:1", "package-1", 1_000_000);
        File.Delete(Path.Combine(root, "intel-rapl:1", file));
        if (content is not null)
            File.WriteAllText(Path.Combine(root, "intel-rapl:1", file), content);
        using var meter = new EnergyMeter(root, clock);
        Assert.Null(meter.Read());
        Assert.Equal(0, clock.Count);
    }

    [Fact]
    public void A_host_without_counters_has_no_energy()
    {
        using var none = new EnergyMeter(root, clock);
        using var nowhere = new EnergyMeter(Path.Combine(root, "missing"), clock);
        Assert.Equal((null, null), (none.Read(), nowhere.Read()));
    }

    [Fact]
    public void Counters_that_may_not_be_listed_are_no_figure()
    {
        Write("intel-rapl:0", "package-0", 1_000_000);
        File.SetUnixFileMode(root, UnixFileMode.None);
        double? read = 0;
        Exception? thrown = null;
        var thread = new Thread(() => thrown = Record.Exception(() =>
        {
            // Root lists every folder unless it gives that capability away, which is the thread's own matter.
            if (Environment.IsPrivilegedProcess)
                Assert.Equal(0, capset([0x20080522, 0], new uint[6]));
            using var meter = new EnergyMeter(root, clock);
            read = meter.Read();
        }));
        thread.Start();
        thread.Join();
        File.SetUnixFileMode(root, UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute);
        Assert.Null(thrown);
        Assert.Null(read);
    }

    // capset(2): version 3 and this thread; then effective, permitted and inheritable capabilities, twice 32 of them.
    [LibraryImport("libc")]
    private static partial int capset(uint[] header, uint[] data);

    private void Write(string zone, string name, long energy)
    {
        Directory.CreateDirectory(Path.Combine(root, zone));
        File.WriteAllText(Path.Combine(root, zone, "name"), name + "\n");
        File.WriteAllText(Path.Combine(root, zone, "max_energy_range_uj"), Range + "\n");
        Set(zone, energy);
    }

    private void Set(string zone, long energy) => File.WriteAllText(Path.Combine(root, zone, "energy_uj"), energy + "\n");

    /// <summary>The clock of a host that slept: time goes on, and no timer rang.</summary>
    private sealed class StoppedTimers(TimeProvider clock) : TimeProvider
    {
        public override long TimestampFrequency => clock.TimestampFrequency;

        public override long GetTimestamp() => clock.GetTimestamp();

        public override ITimer CreateTimer(TimerCallback callback, object? state, TimeSpan dueTime, TimeSpan period) => clock.CreateTimer(callback, state, TimeSpan.FromDays(1), period);
    }
}
