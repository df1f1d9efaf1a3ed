using System.Globalization;
using Slipway.Documents.Monitoring;

namespace Slipway.Gateway.Control;

/// <summary>How busy this host and process are. For one reader alone.</summary>
/// <param name="inFlight">Requests that are being answered.</param>
internal sealed class HostGauge(TimeProvider time, Func<long> inFlight)
{
    private TimeSpan used = Environment.CpuUsage.TotalTime;
    private long at = time.GetTimestamp();

    /// <summary>Processors are of the time since the reading before.</summary>
    public HostLoad Read()
    {
        var (usedBefore, before) = (used, at);
        (used, at) = (Environment.CpuUsage.TotalTime, time.GetTimestamp());
        var seconds = time.GetElapsedTime(before, at).TotalSeconds;
        return new HostLoad(seconds > 0 ? Math.Round((used - usedBefore).TotalSeconds / seconds, 3) : 0, Environment.ProcessorCount, LoadAverage(), Environment.WorkingSet, inFlight());
    }

    private static double? LoadAverage()
    {
        try
        {
            var text = File.ReadAllText("/proc/loadavg");
            return double.TryParse(text.AsSpan(0, text.IndexOf(' ', StringComparison.Ordinal)), CultureInfo.InvariantCulture, out var load) && double.IsFinite(load) ? load : null;
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException or ArgumentException)
        {
            return null;        // no Linux, or hidden from this process
        }
    }
}
