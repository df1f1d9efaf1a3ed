using System.Collections.Concurrent;
using System.Collections.Immutable;
using Slipway.Documents.Runs;
using Slipway.Pipeline.Execution.Steps;
using Slipway.Primitives.Bytes;
using Slipway.Primitives.Faults;
using Slipway.Store.Content;
using Slipway.Store.Oci;

namespace Slipway.Pipeline.Upkeep;

/// <summary>Looks whether a project's state is sound: every object and blob is what its name says, and every record leads to what is there.</summary>
/// <remarks>Reads every byte once, on all processors; what is a second name of the same bytes is read again. Changes nothing and takes no lock: what a run is just adding may be missed.</remarks>
public static class StoreExamination
{
    /// <exception cref="SlipwayException">The state cannot be read at all (exit 2, 3).</exception>
    public static StoreReport Examine(ProjectFolder project, CancellationToken cancellation)
    {
        var owners = new ObjectOwners(project);
        var findings = new List<Finding>(owners.Findings);
        var objects = new ContentStore(project.Objects);
        var present = objects.Objects().ToHashSet();
        var damaged = Changed(present, objects.PathOf, cancellation);
        findings.AddRange(damaged.Select(digest => new Finding(Trouble.DamagedObject, digest, "was changed: its bytes have another digest", owners.Of(digest), owners.Remedy(digest))));
        findings.AddRange(owners.Needed.Where(digest => !present.Contains(digest)).Order()
            .Select(digest => new Finding(Trouble.MissingObject, digest, "is missing", owners.Of(digest), owners.Remedy(digest))));
        var blobs = 0;
        try
        {
            if (OciLayout.TryOpen(project.Bundles) is { } layout)
            {
                var names = layout.Blobs().ToHashSet();
                blobs = names.Count;
                findings.AddRange(new BundleOwners(layout, project, present.Except(damaged).ToHashSet()).Find(names, Changed(names, layout.BlobPath, cancellation)));
            }
        }
        catch (SlipwayException e) when (e.Faults[0].Code.StartsWith("layout-", StringComparison.Ordinal) && e.Exit == ExitCode.UnusableInput)
        {
            findings.Add(new Finding(
                Trouble.DamagedLayout, Path.GetRelativePath(project.Root, project.Bundles), "cannot be read: " + e.Faults[0].Message, ["every bundle that was sealed or pulled here"],
                "`slipway doctor --repair` lists every manifest that is there anew; tags are to be given again (`slipway tag`)"));
        }

        return new StoreReport(present.Count, owners.Records, blobs, [.. findings.OrderBy(finding => finding.Kind).ThenBy(finding => finding.Name, StringComparer.Ordinal)]);
    }

    private static HashSet<Digest> Changed(IEnumerable<Digest> names, Func<Digest, string> path, CancellationToken cancellation)
    {
        var changed = new ConcurrentBag<Digest>();
        Parallel.ForEach(names, new ParallelOptions { CancellationToken = cancellation }, digest =>
        {
            try
            {
                using var content = File.OpenRead(path(digest));
                if (Digest.Of(content) != digest)
                    changed.Add(digest);
            }
            catch (FileNotFoundException)
            {
                // Deleted since it was listed: then nothing is said of it.
            }
            catch (Exception e) when (e is IOException or UnauthorizedAccessException)
            {
                // It cannot be read, so it is not known to be sound.
                changed.Add(digest);
            }
        });
        return [.. changed];
    }
}

/// <summary>What was looked at, and what is not as it should be.</summary>
/// <param name="Objects">Objects of the content store whose bytes were hashed.</param>
/// <param name="Records">Step records that were read.</param>
/// <param name="Blobs">Blobs of the project's layout whose bytes were hashed.</param>
/// <param name="Findings">By kind and name.</param>
public sealed record StoreReport(int Objects, int Records, int Blobs, ImmutableArray<Finding> Findings)
{
    public bool IsSound => Findings.IsEmpty;
}

/// <summary>One thing that is not as it should be.</summary>
/// <param name="Name">Digest of the content, the step's key or the manifest; of a run its id.</param>
/// <param name="Flaw">The end of a sentence that begins with what it is.</param>
/// <param name="BelongsTo">Outputs of stages or parts of bundles, in words; empty for what nothing leads to.</param>
/// <param name="Remedy">How it comes back, or that it does not.</param>
public sealed record Finding(Trouble Kind, string Name, string Flaw, ImmutableArray<string> BelongsTo, string Remedy)
{
    internal Finding(Trouble kind, Digest digest, string flaw, ImmutableArray<string> belongsTo, string remedy)
        : this(kind, digest.ToString(), flaw, belongsTo, remedy)
    {
    }
}

public enum Trouble
{
    DamagedObject,
    MissingObject,

    /// <summary>A step record that cannot be read.</summary>
    DamagedRecord,

    /// <summary>A run's record that cannot be read: what it keeps is not known.</summary>
    DamagedRun,
    DamagedBlob,
    MissingBlob,

    /// <summary>The layout's own mark or index: which bundles there are is not known.</summary>
    DamagedLayout,

    /// <summary>A manifest or index of the layout that is missing or cannot be read: what it held is not known.</summary>
    DamagedManifest,
}
