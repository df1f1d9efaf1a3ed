using Slipway.Documents.Rollouts;
using Slipway.Gateway.Routing;
using Slipway.Gateway.Sampling;
using Slipway.Primitives.Bytes;
using Slipway.Primitives.Faults;
using Slipway.Runtime.ModelHosts;

namespace Slipway.Gateway.Control;

/// <summary>From a version's digest to a model that answered generated requests. Thread-safe.</summary>
internal sealed class VersionLoader(BundleShelf shelf, string folder, HostOptions options, Samplers samplers)
{
    /// <summary>Versions beside the stable ones that are fetched, verified, loaded and warmed at once: the machine is for live requests.</summary>
    private const int OthersAtOnce = 2;

    /// <summary>Stable ones wait for no candidate: without them nothing answers.</summary>
    private readonly SemaphoreSlim stables = new(Math.Max(OthersAtOnce, Environment.ProcessorCount)), others = new(OthersAtOnce);

    /// <exception cref="SlipwayException">It cannot be had, does not verify, is of another model, or does not load or answer.</exception>
    public async Task<ServedVersion> LoadAsync(string model, VersionRef version, bool isStable, CancellationToken cancellation)
    {
        var places = isStable ? stables : others;
        await places.WaitAsync(cancellation);
        try
        {
            var place = PathOf(model, version);
            if (Directory.Exists(place))
                Directory.Delete(place, recursive: true);       // an attempt before left it
            var hosted = await shelf.UseAsync(version.Bundle, bundle => HostedModel.Unpack(bundle, place, cancellation), cancellation);
            if (hosted.Name != model)
                throw new SlipwayException(ExitCode.BadVerdict, new Fault("other-model", $"the bundle is of model '{hosted.Name}', and the server names it for '{model}'"));
            return new ServedVersion(version, await StartAsync(hosted, cancellation), samplers.Begin(model, version, hosted));
        }
        finally
        {
            places.Release();
        }
    }

    /// <summary>After the version was retired, or failed to load: its unpacked files go.</summary>
    public void Remove(string model, VersionRef version)
    {
        var place = PathOf(model, version);
        try
        {
            if (Directory.Exists(place))
                Directory.Delete(place, recursive: true);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            options.Log($"{place} could not be deleted, and is at the next start: {e.Message}");
        }
    }

    private async Task<IModelHost> StartAsync(HostedModel hosted, CancellationToken cancellation)
    {
        var host = await ModelHost.StartAsync(hosted, options, cancellation);
        try
        {
            await host.WaitUntilReadyAsync(cancellation);
            await Warmup.RunAsync(host, options, cancellation);
            return host;
        }
        catch
        {
            await host.DisposeAsync();
            throw;
        }
    }

    private string PathOf(string model, VersionRef version) => Path.Combine(folder, $"{Digest.Of(System.Text.Encoding.UTF8.GetBytes(model)).Short}-{version.Number}-{version.Bundle.Hex}");
}
