using System.Text.Json;
using Slipway.Documents.Rollouts;
using Slipway.Primitives.Bytes;
using Slipway.Primitives.Faults;
using Slipway.Primitives.Files;

namespace Slipway.Gateway.Control;

/// <summary>What a gateway keeps over its restarts, and where. Held by one process at a time.</summary>
internal sealed class GatewayFolder : IDisposable
{
    private readonly string root;
    private readonly FolderLock held;

    private GatewayFolder(string root, FolderLock held) => (this.root, this.held) = (root, held);

    /// <summary>Each bundle's own layout is a folder in it.</summary>
    public string Bundles => Path.Combine(root, "bundles");

    /// <summary>Unpacked bundles of this process: what an earlier one unpacked is not trusted.</summary>
    public string Models => Path.Combine(root, "models");

    /// <summary>See <see cref="Slipway.Runtime.ModelHosts.HostOptions.StateFolder"/>.</summary>
    public string Hosts => Path.Combine(root, "hosts");

    /// <summary>Notes of the versions that this gateway's process ended with.</summary>
    public string Crashes => Path.Combine(root, "crashes");

    private string StateFile => Path.Combine(root, "state.json");

    /// <exception cref="SlipwayException">Another gateway uses the folder, or it may not be written (exit 3).</exception>
    public static GatewayFolder Open(string folder)
    {
        var root = Path.GetFullPath(folder);
        AtomicFile.CreatePrivateFolder(root);
        if (FolderLock.TryTake(Path.Combine(root, "lock")) is not { } held)
            throw new SlipwayException(ExitCode.NotThere, new Fault("folder-in-use", $"another gateway uses {folder}", folder, Help: "stop that one, or give this one a folder of its own"));
        try
        {
            var opened = new GatewayFolder(root, held);
            if (Directory.Exists(opened.Models))
                Directory.Delete(opened.Models, recursive: true);
            foreach (var made in new[] { opened.Bundles, opened.Models, opened.Hosts, opened.Crashes })
            {
                AtomicFile.CreateFolder(made);
                AtomicFile.RemoveLeftovers(made);
            }

            AtomicFile.RemoveLeftovers(root);
            return opened;
        }
        catch (Exception e)
        {
            held.Dispose();
            if (AtomicFile.Explain(e, root) is { } explained)
                throw explained;
            throw;
        }
    }

    /// <summary>The last known good state, which holds the highest epoch seen; null when there is none that can be used.</summary>
    /// <param name="unusable">Told why, when a file is there and cannot be used.</param>
    public DesiredState? ReadState(string channel, Action<string> unusable)
    {
        try
        {
            if (!File.Exists(StateFile))
                return null;
            var state = JsonSerializer.Deserialize(File.ReadAllBytes(StateFile), RolloutJson.Default.DesiredState);
            if (state?.Channel == channel)
                return state;
            unusable($"{StateFile} is of channel '{state?.Channel}', and this gateway serves '{channel}': it starts without");
        }
        catch (Exception e) when (e is JsonException or IOException or UnauthorizedAccessException)
        {
            unusable($"{StateFile} cannot be used, and this gateway starts without: {e.Message}");
        }

        return null;
    }

    /// <exception cref="SlipwayException">No space, no permission (exit 3).</exception>
    public void WriteState(DesiredState state) => AtomicFile.Write(StateFile, CanonicalJson.Serialize(state, RolloutJson.Default.DesiredState));

    public void Dispose() => held.Dispose();
}
