using Slipway.Documents.Runs;
using Slipway.Primitives.Faults;
using Slipway.Primitives.Files;

namespace Slipway.Pipeline.Execution;

/// <summary>The folders that Slipway makes and empties by itself: a project that comes with links in their places would have it do so elsewhere.</summary>
internal static class OwnFolders
{
    public static void Require(ProjectFolder project) =>
        Require(project.State, project.Work, project.Runs, project.Objects, project.Bundles, project.Steps, project.Environments, project.Seals, project.Tables, project.Scratch);

    /// <exception cref="SlipwayException">One of them is a link (exit 2).</exception>
    public static void Require(params IEnumerable<string> folders)
    {
        var faults = folders.Where(folder => FileStamp.Of(folder, followLinks: false) is { Kind: FileKind.Link })
            .Select(folder => new Fault("linked-state", $"{folder} is a link, and Slipway makes and deletes what is in it", folder, Help: "remove the link, and let Slipway make the folder; for another disk, mount it there"))
            .ToList();
        if (faults.Count > 0)
            throw new SlipwayException(ExitCode.UnusableInput, faults);
    }
}
