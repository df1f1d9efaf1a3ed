using System.Collections.Immutable;
using Slipway.Documents.Runs;
using Slipway.Pipeline.Execution.Steps;
using Slipway.Primitives.Bytes;
using Slipway.Primitives.Faults;
using Slipway.Primitives.Files;
using Slipway.Store.Content;
using Slipway.Store.Oci;

namespace Slipway.Pipeline.Upkeep;

/// <summary>Finds, and where asked deletes, what neither tags nor locks nor the newest runs of a project lead to.</summary>
/// <remarks>
/// Names go before what they name: bundles leave the index, then step records go, then objects and blobs. Killed anywhere, it leaves garbage
/// and never a name without its content. Looking takes no lock; deleting takes the run lock and the layout's, so that nothing is being added.
/// </remarks>
public static class GarbageCollection
{
    /// <summary>What would be deleted now. Changes nothing.</summary>
    /// <param name="keepRuns">The newest so many runs keep what they gave; at least 0.</param>
    /// <exception cref="SlipwayException">A record or lock that cannot be read, so that nobody knows what it keeps (exit 2).</exception>
    public static Garbage Find(ProjectFolder project, int keepRuns)
    {
        var layout = OciLayout.TryOpen(project.Bundles);
        return Find(project, layout, KeptContent.Of(project, layout, keepRuns));
    }

    /// <summary>Deletes it; what is under way in the project ends first.</summary>
    /// <param name="waiting">Told once what is waited for.</param>
    /// <returns>What was deleted.</returns>
    /// <exception cref="SlipwayException">As <see cref="Find(ProjectFolder, int)"/>; no permission, or somebody adds to the layout all the time (exit 3).</exception>
    public static async Task<Garbage> CollectAsync(ProjectFolder project, int keepRuns, Action<string> waiting, CancellationToken cancellation)
    {
        using var alone = await ProjectAlone.TakeAsync(project, waiting, cancellation);
        var layout = alone.Layout;
        var kept = KeptContent.Of(project, layout, keepRuns);
        var garbage = Find(project, layout, kept);
        layout?.Unlist(layout.Entries().Select(entry => entry.Digest).Where(manifest => !kept.Manifests.Contains(manifest)).ToHashSet(), cancellation);
        var steps = new StepStore(project);
        foreach (var key in garbage.Steps)
            steps.Forget(key);
        AtomicFile.FlushFileSystem(project.State);
        var objects = new ContentStore(project.Objects);
        foreach (var digest in garbage.Objects)
            objects.Delete(digest);
        foreach (var digest in garbage.Blobs)
            layout!.DeleteBlob(digest);
        return garbage;
    }

    private static Garbage Find(ProjectFolder project, OciLayout? layout, KeptContent kept)
    {
        var objects = new ContentStore(project.Objects);
        var garbage = new Garbage(
            layout is null ? [] : [.. layout.Bundles().Select(entry => entry.Digest).Where(bundle => !kept.Manifests.Contains(bundle)).Distinct().Order()],
            [.. new StepStore(project).All().Select(step => step.Key).Where(key => !kept.Steps.Contains(key)).Order()],
            [.. objects.Objects().Where(digest => !kept.Objects.Contains(digest) && !kept.Aside.Contains(digest)).Order()],
            layout is null ? [] : [.. layout.UnreferencedBlobs(kept.Manifests).Where(digest => !kept.Aside.Contains(digest))],
            0);
        return garbage with { Bytes = Freed(garbage, objects, layout) };
    }

    /// <summary>A blob may share its bytes with an object: only when the last of their names goes are they free.</summary>
    private static long Freed(Garbage garbage, ContentStore objects, OciLayout? layout)
    {
        var going = garbage.Objects.Select(objects.PathOf).Concat(garbage.Blobs.Select(blob => layout!.BlobPath(blob)))
            .Select(path => FileStamp.Of(path, followLinks: false)).OfType<FileStamp>()
            .GroupBy(stamp => (stamp.Inode, stamp.Device));
        var shared = objects.Objects().Where(digest => !garbage.Objects.Contains(digest)).Select(objects.PathOf);
        var staying = layout is null ? [] : layout.Blobs().Where(digest => !garbage.Blobs.Contains(digest)).Select(layout.BlobPath);
        var kept = shared.Concat(staying).Select(path => FileStamp.Of(path, followLinks: false)).OfType<FileStamp>().Select(stamp => (stamp.Inode, stamp.Device)).ToHashSet();
        return going.Where(file => !kept.Contains(file.Key)).Sum(file => file.First().Size);
    }
}

/// <summary>What nothing that is kept leads to.</summary>
/// <param name="Bundles">Manifests in the layout that have no tag.</param>
/// <param name="Steps">Keys of step records.</param>
/// <param name="Objects">Of the content store.</param>
/// <param name="Blobs">Of the layout; those of <paramref name="Bundles"/> among them.</param>
/// <param name="Bytes">That become free; what shares its bytes with something that stays is not counted.</param>
public sealed record Garbage(ImmutableArray<Digest> Bundles, ImmutableArray<Digest> Steps, ImmutableArray<Digest> Objects, ImmutableArray<Digest> Blobs, long Bytes)
{
    /// <summary>This and another project's, such as that of the checks.</summary>
    public Garbage With(Garbage other) =>
        new([.. Bundles, .. other.Bundles], [.. Steps, .. other.Steps], [.. Objects, .. other.Objects], [.. Blobs, .. other.Blobs], Bytes + other.Bytes);

    public bool IsEmpty => Bundles.IsEmpty && Steps.IsEmpty && Objects.IsEmpty && Blobs.IsEmpty;
}
