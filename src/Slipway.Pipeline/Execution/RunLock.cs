using Slipway.Documents.Runs;
using Slipway.Pipeline.Execution.Stages;
using Slipway.Primitives.Files;
using Slipway.Runtime.Sandbox;
using Slipway.Store.Content;

namespace Slipway.Pipeline.Execution;

/// <summary>The right to change a project's state: one run at a time, for as long as this is not disposed.</summary>
public sealed class RunLock : IDisposable
{
    private readonly FolderLock taken;

    private RunLock(ProjectFolder project, FolderLock taken) => (Project, this.taken) = (project, taken);

    public ProjectFolder Project { get; }

    /// <summary>Waits for another run to end; then ends and removes what a killed one left.</summary>
    /// <param name="waiting">Called once, when another run holds the lock.</param>
    /// <exception cref="Primitives.Faults.SlipwayException">The project's state cannot be written (exit 3), or is elsewhere (exit 2).</exception>
    public static async Task<RunLock> TakeAsync(ProjectFolder project, Action waiting, CancellationToken cancellation)
    {
        OwnFolders.Require(project);
        var taken = await FolderLock.TakeAsync(project.RunLock, waiting, cancellation);
        try
        {
            CleanUp(project);
            return new RunLock(project, taken);
        }
        catch
        {
            taken.Dispose();
            throw;
        }
    }

    private static void CleanUp(ProjectFolder project)
    {
        if (Directory.Exists(project.Work) && Directory.EnumerateDirectories(project.Work).ToList() is { Count: > 0 } runs)
        {
            foreach (var run in runs)
                Orphans.EndGroups(run);
            Orphans.End(project.Work);
            foreach (var run in runs)
                StageFolder.Delete(run);
        }

        new ContentStore(project.Objects).RemoveLeftovers();
        foreach (var folder in new[] { project.State, Path.Combine(project.Bundles, "blobs", "sha256"), project.Steps, Path.Combine(project.Steps, "newest"), project.Environments, project.Seals, project.Tables, project.Scratch })
            AtomicFile.RemoveLeftovers(folder);
        // What a stage left there is nobody else's to read or to start.
        AtomicFile.CreateSpreadFolder(project.Work, isPrivate: true);
        AtomicFile.CreateSpreadFolder(project.Runs);
    }

    public void Dispose() => taken.Dispose();
}
