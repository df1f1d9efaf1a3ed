using System.Globalization;

namespace Slipway.Runtime.Hardware;

/// <summary>The energy that this host's processor packages take while it is not disposed, by the counters that their makers built in (RAPL).</summary>
/// <remarks>
/// The whole host's, whoever uses it. Source: the kernel's <c>Documentation/power/powercap/powercap.rst</c>. Thread-safe.
/// A counter begins again at 0 beyond its range, every few minutes on a busy server, so that it is looked at more often than that.
/// </remarks>
public sealed class EnergyMeter : IDisposable
{
    /// <summary>Where the kernel has the counters; on most hosts for root alone to read.</summary>
    public const string Counters = "/sys/class/powercap";

    /// <summary>A package of 500 W takes 65 s to go through the smallest range in use, 32,768 J.</summary>
    private static readonly TimeSpan every = TimeSpan.FromSeconds(20), longestBetween = TimeSpan.FromSeconds(60);

    private readonly Lock looking = new();
    private readonly TimeProvider clock;
    private readonly List<Package> packages = [];
    private readonly ITimer? timer;
    private long looked;
    private bool isKnown;

    /// <param name="folder">Commonly <see cref="Counters"/>.</param>
    public EnergyMeter(string folder, TimeProvider clock)
    {
        this.clock = clock;
        looked = clock.GetTimestamp();
        packages.AddRange(Packages(folder));
        isKnown = packages.Count > 0 && packages.TrueForAll(package => package.Look());
        if (isKnown)
            timer = clock.CreateTimer(_ => Read(), null, every, every);
    }

    /// <summary>Joules since it was made; null where a counter cannot be read, or was not looked at in time.</summary>
    public double? Read()
    {
        lock (looking)
        {
            var now = clock.GetTimestamp();
            isKnown = isKnown && clock.GetElapsedTime(looked, now) <= longestBetween && packages.TrueForAll(package => package.Look());
            looked = now;
            return isKnown ? packages.Sum(package => package.Microjoules) / 1e6 : null;
        }
    }

    public void Dispose() => timer?.Dispose();

    /// <summary>None where they cannot be listed: some of them are no figure of the host.</summary>
    private static List<Package> Packages(string folder)
    {
        try
        {
            // Below intel-rapl:0 are its parts, such as intel-rapl:0:1, and beside the packages a zone of the whole system may stand: both would count twice. AMD's have the same names.
            return Directory.Exists(folder) ? [.. Directory.EnumerateFileSystemEntries(folder, "intel-rapl:*").Where(IsPackage).Select(path => new Package(path))] : [];
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            return [];
        }
    }

    private static bool IsPackage(string path) =>
        Path.GetFileName(path).Count(c => c == ':') == 1 && TextOf(Path.Combine(path, "name"))?.StartsWith("package-", StringComparison.Ordinal) == true;

    private static long? NumberOf(string path) => long.TryParse(TextOf(path), NumberStyles.None, CultureInfo.InvariantCulture, out var number) ? number : null;

    private static string? TextOf(string path)
    {
        try
        {
            return File.ReadAllText(path).Trim();
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            return null;
        }
    }

    private sealed class Package(string folder)
    {
        private readonly long range = NumberOf(Path.Combine(folder, "max_energy_range_uj")) ?? 0;
        private long? before;

        public double Microjoules { get; private set; }

        /// <returns>Whether it could be read.</returns>
        public bool Look()
        {
            if (NumberOf(Path.Combine(folder, "energy_uj")) is not { } now || range <= 0 || now > range)
                return false;
            if (before is { } last)
                Microjoules += now >= last ? now - last : now + range - last;
            before = now;
            return true;
        }
    }
}
