using Slipway.Primitives.Faults;
using Slipway.Primitives.Files;

namespace Slipway.Runtime.ModelHosts;

/// <summary>
/// The note "I am loading this bundle's model into my own process", made durable before the load and taken away after it. One that
/// is found while nobody loads is left from a process that died of the load: that bundle is quarantined on this machine.
/// </summary>
internal sealed class LoadMark : IDisposable
{
    public const string LockSuffix = ".lock";

    private readonly FolderLock held;
    private readonly HostedModel model;
    private readonly string mark;

    private LoadMark(FolderLock held, HostedModel model, string mark) => (this.held, this.model, this.mark) = (held, model, mark);

    public static string FolderIn(string stateFolder) => Path.Combine(stateFolder, "loads");

    /// <summary>Waits while another process loads the same bundle.</summary>
    /// <exception cref="SlipwayException">The bundle is quarantined (exit 2).</exception>
    public static async Task<LoadMark> TakeAsync(string stateFolder, HostedModel model, CancellationToken cancellation)
    {
        var path = Path.Combine(FolderIn(stateFolder), model.Bundle.Hex);
        var held = await FolderLock.TakeAsync(path + LockSuffix, null, cancellation);
        if (!File.Exists(path) || MarkText.ModelOf(File.ReadAllText(path)) is null)
            return new LoadMark(held, model, path);
        held.Dispose();
        throw new SlipwayException(
            ExitCode.UnusableInput,
            new Fault("quarantined-bundle", $"an earlier process died while it loaded the model of {model.Bundle}; the bundle is quarantined on this machine", Help: $"to try it once more, delete {path}"));
    }

    /// <summary>From here on a death of this process quarantines the bundle.</summary>
    public void Set() => AtomicFile.Write(mark, MarkText.Of(model));

    public void Clear() => File.Delete(mark);

    public void Dispose() => held.Dispose();
}
