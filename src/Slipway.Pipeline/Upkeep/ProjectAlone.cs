using Slipway.Documents.Runs;
using Slipway.Pipeline.Execution;
using Slipway.Store.Oci;

namespace Slipway.Pipeline.Upkeep;

/// <summary>The right to delete from a project's state: no run is under way, and nobody adds to its layout, for as long as this is not disposed.</summary>
internal sealed class ProjectAlone : IDisposable
{
    private readonly RunLock run;
    private readonly IDisposable? layoutLock;

    private ProjectAlone(RunLock run, OciLayout? layout, IDisposable? layoutLock) => (this.run, Layout, this.layoutLock) = (run, layout, layoutLock);

    /// <summary>The project's own layout; null where nothing was ever sealed or pulled.</summary>
    public OciLayout? Layout { get; }

    /// <param name="waiting">Told once what is waited for.</param>
    /// <param name="mend">Done under the run lock, before the layout is opened.</param>
    public static async Task<ProjectAlone> TakeAsync(ProjectFolder project, Action<string> waiting, CancellationToken cancellation, Action? mend = null)
    {
        var run = await RunLock.TakeAsync(project, () => waiting("a run is under way in this project; waiting for it to end"), cancellation);
        try
        {
            mend?.Invoke();
            var layout = OciLayout.TryOpen(project.Bundles);
            var alone = layout is null ? null : await layout.BeginCollectingAsync(() => waiting("a bundle is being added to this project's layout; waiting for that to end"), cancellation);
            return new ProjectAlone(run, layout, alone);
        }
        catch
        {
            run.Dispose();
            throw;
        }
    }

    public void Dispose()
    {
        layoutLock?.Dispose();
        run.Dispose();
    }
}
