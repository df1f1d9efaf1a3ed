using Slipway.Documents.Monitoring;
using Slipway.Documents.Rollouts;
using Slipway.Runtime.ModelHosts;

namespace Slipway.Gateway.Sampling;

/// <summary>The samplers of all versions that a gateway serves, or served until lately. Thread-safe.</summary>
/// <param name="captures">Null where nothing is captured.</param>
internal sealed class Samplers(SampleClock clock, CaptureBuffer? captures = null)
{
    private readonly Lock changing = new();
    private readonly List<VersionSampler> all = [];

    /// <summary>Begins to count for a version that was loaded; <see cref="VersionSampler.Retire"/> ends that.</summary>
    public VersionSampler Begin(string model, VersionRef version, HostedModel hosted)
    {
        var sampler = new VersionSampler(model, version, hosted, clock, captures is null ? null : new RequestCapture(captures, model, version, hosted, clock));
        lock (changing)
            all.Add(sampler);
        return sampler;
    }

    /// <inheritdoc cref="VersionSampler.Drain"/>
    public List<TelemetrySlice> Drain(bool last = false)
    {
        VersionSampler[] samplers;
        lock (changing)
            samplers = [.. all];
        var slices = new List<TelemetrySlice>();
        foreach (var sampler in samplers)
        {
            var isRetired = sampler.IsRetired;      // before the look: what it counted until then is in it
            sampler.Drain(slices, last || isRetired);
            if (!isRetired)
                continue;
            lock (changing)
                all.Remove(sampler);
        }

        return slices;
    }
}
