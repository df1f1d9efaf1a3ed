using Slipway.Documents.Rollouts;
using Slipway.Primitives.Bytes;
using Slipway.Primitives.Faults;

namespace Slipway.Gateway.Control;

/// <summary>Writes down what is in force, after it is, and deletes the bundles that no state names any more.</summary>
internal sealed class Bookkeeper(GatewayOptions options, GatewayFolder folder, BundleShelf shelf, DesiredState? lastKnown)
{
    /// <summary>After the disk was full, or when a bundle is still being retired.</summary>
    private static readonly TimeSpan Retry = TimeSpan.FromSeconds(10);

    private byte[] written = lastKnown is null ? [] : BytesOf(lastKnown);
    private bool failing;

    /// <param name="kept">Told when everything is written.</param>
    public async Task RunAsync(Func<GatewayStanding> standing, Signal settled, Action kept, CancellationToken cancellation)
    {
        while (true)
        {
            try
            {
                await settled.WaitAsync(failing ? Retry : Timeout.InfiniteTimeSpan, options.Time, cancellation);
            }
            catch (OperationCanceledException)
            {
                return;
            }

            Note(standing());
            kept();
        }
    }

    /// <summary>Writes down what there is to write; what cannot be, is tried again when this is called again.</summary>
    public void Note(GatewayStanding standing)
    {
        try
        {
            Keep(standing);
            failing = false;
        }
        catch (SlipwayException e)
        {
            if (!failing)
                options.Log($"what is in force could not be written down, and is tried again: {e.Message}");
            failing = true;
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            failing = true;     // a bundle that is still being read could not be deleted
        }
    }

    private void Keep(GatewayStanding standing)
    {
        if (standing.InForce is not { } inForce)
            return;
        var bytes = BytesOf(inForce);
        if (!bytes.AsSpan().SequenceEqual(written))
        {
            folder.WriteState(inForce);
            written = bytes;
        }

        shelf.Keep(new[] { standing.Target, inForce }.OfType<DesiredState>().SelectMany(state => state.Models).SelectMany(StateCheck.Versions).Select(version => version.Bundle).ToHashSet());
    }

    private static byte[] BytesOf(DesiredState state) => CanonicalJson.Serialize(state, RolloutJson.Default.DesiredState);
}
