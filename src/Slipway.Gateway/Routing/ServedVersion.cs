using System.Globalization;
using Slipway.Documents.Rollouts;
using Slipway.Gateway.Sampling;
using Slipway.Gateway.Telemetry;
using Slipway.Runtime.ModelHosts;

namespace Slipway.Gateway.Routing;

/// <summary>A version that is loaded and warmed here, with the count of requests that use it. Thread-safe.</summary>
/// <remarks>Owns its host: it ends when the version was retired and its last request is answered, so that a switch loses none.</remarks>
/// <param name="sampler">Counts its requests for the server; null where there is none.</param>
internal sealed class ServedVersion(VersionRef version, IModelHost host, VersionSampler? sampler = null)
{
    /// <summary>Added to the count once it is retired: the count is then negative, and no request gets in.</summary>
    private const int Retired = int.MinValue / 2;

    private readonly TaskCompletionSource idle = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private int users;

    public VersionRef Version => version;

    public IModelHost Host => host;

    public VersionSampler? Sampler => sampler;

    /// <summary>As paths and answers name it: the number; of a bundle that no server registered (number 0), the first digits of its digest.</summary>
    public string Name { get; } = version.Number > 0 ? version.Number.ToString(CultureInfo.InvariantCulture) : version.Bundle.Short;

    /// <summary>The bundle's digest, as answers name it.</summary>
    public string BundleText { get; } = version.Bundle.ToString();

    /// <summary>Where its answers are counted; null until the first one.</summary>
    public VersionMetrics? Metrics { get; set; }

    /// <summary>Tensors of its signature.</summary>
    public TensorPool Tensors { get; } = new(host.Model.Signature);

    /// <returns>False when it is retired: look the version up again in the table that is in force now.</returns>
    public bool TryEnter()
    {
        if (Interlocked.Increment(ref users) > 0)
            return true;
        Leave();
        return false;
    }

    public void Leave()
    {
        if (Interlocked.Decrement(ref users) == Retired)
            idle.TrySetResult();
    }

    /// <summary>Lets nobody in any more, waits for the last request, and ends the host. To be called once, after the table that names it is replaced.</summary>
    public async Task RetireAsync()
    {
        if (Interlocked.Add(ref users, Retired) == Retired)
            idle.TrySetResult();
        await idle.Task;
        sampler?.Retire();
        Tensors.Dispose();
        await host.DisposeAsync();
    }
}
