using System.Collections.Immutable;
using Slipway.Documents.Runs;
using Slipway.Pipeline.Execution.Steps;
using Slipway.Primitives.Bytes;
using Slipway.Primitives.Faults;
using Slipway.Primitives.Files;
using Slipway.Store.Content;
using Slipway.Store.Oci;

namespace Slipway.Pipeline.Upkeep;

/// <summary>Brings a project's state to where the next run makes again what is lost: nothing that is damaged is used, and nothing is deleted that could still be read.</summary>
public static class StoreRepair
{
    /// <summary>Below the project's state: what was damaged, until somebody deletes it. What it names is kept.</summary>
    internal const string AsideFolder = "damaged";

    /// <summary>Damaged content is set aside in <c>.slipway/damaged</c>; records that led to it are forgotten; blobs come back from the content store where that has them.</summary>
    /// <param name="waiting">Told once what is waited for.</param>
    /// <returns>What was found, what was done about it in words, and what is found after that.</returns>
    /// <exception cref="SlipwayException">No space, no permission (exit 3).</exception>
    public static async Task<(StoreReport Before, ImmutableArray<string> Done, StoreReport After)> RepairAsync(ProjectFolder project, Action<string> waiting, CancellationToken cancellation)
    {
        var done = ImmutableArray.CreateBuilder<string>();
        StoreReport? first = null;
        using var alone = await ProjectAlone.TakeAsync(project, waiting, cancellation, mend: () =>
        {
            first = StoreExamination.Examine(project, cancellation);
            if (first.Findings.Any(finding => finding.Kind == Trouble.DamagedLayout))
                done.Add(Relist(project, cancellation));
        });
        var (report, layout) = (first!, alone.Layout);
        var (objects, steps, owners) = (new ContentStore(project.Objects), new StepStore(project), new ObjectOwners(project));
        foreach (var key in owners.KeysOf(Digests(report, Trouble.DamagedObject, Trouble.MissingObject)).Concat(Digests(report, Trouble.DamagedRecord)).Distinct())
        {
            steps.Forget(key);
            done.Add($"forgot the record of step {key.Short}");
        }

        foreach (var run in report.Findings.Where(finding => finding.Kind == Trouble.DamagedRun).Select(finding => RunRecord.FolderOf(project, finding.Name)))
        {
            AtomicFile.Rename(Path.Combine(run, "run.json"), Path.Combine(run, "run.json.damaged"));
            done.Add($"set the record of run {Path.GetFileName(run)} aside");
        }

        foreach (var digest in Digests(report, Trouble.DamagedObject))
            SetAside(objects.PathOf(digest), digest, "object");
        if (layout is null)
            return (report, done.ToImmutable(), StoreExamination.Examine(project, cancellation));
        var lost = Digests(report, Trouble.DamagedManifest).ToHashSet();
        if (lost.Count > 0)
            layout.Unlist(lost, cancellation);
        foreach (var digest in Digests(report, Trouble.DamagedBlob, Trouble.DamagedManifest).Where(digest => File.Exists(layout.BlobPath(digest))))
            SetAside(layout.BlobPath(digest), digest, "blob");
        foreach (var digest in Digests(report, Trouble.DamagedBlob, Trouble.MissingBlob).Where(objects.Contains))
        {
            var size = new FileInfo(objects.PathOf(digest)).Length;
            if (layout.AdoptBlob(new StoredBlob(digest, size), objects.PathOf(digest), cancellation) == BlobState.Intact)
                done.Add($"put blob {digest.Short} back from the content store");
        }

        // A bundle that is whole must not be refused for ever because of what somebody once said of it, and is lost.
        foreach (var (attestation, manifest) in layout.Entries().Select(entry => (entry.Digest, layout.Look(entry.Digest).Manifest)))
        {
            if (manifest?.Subject is { } subject && manifest.Blobs.Any(blob => !File.Exists(layout.BlobPath(blob.Digest))))
            {
                layout.Unlist(new HashSet<Digest> { attestation }, cancellation);
                done.Add($"took attestation {attestation.Short} of bundle {subject.Digest.Short} out of the index: its content is lost");
            }
        }

        return (report, done.ToImmutable(), StoreExamination.Examine(project, cancellation));

        void SetAside(string path, Digest digest, string what)
        {
            var aside = Path.Combine(project.State, AsideFolder, $"{what}-{digest.Hex}");
            AtomicFile.CreateFolder(Path.GetDirectoryName(aside)!);
            AtomicFile.Rename(path, aside);
            done.Add($"set {what} {digest.Short} aside: {Path.GetRelativePath(project.Root, aside)}");
        }
    }

    private static string Relist(ProjectFolder project, CancellationToken cancellation)
    {
        var (mark, aside) = (Path.Combine(project.Bundles, "oci-layout"), Path.Combine(project.State, AsideFolder));
        AtomicFile.CreateFolder(aside);
        try
        {
            if (File.Exists(mark))
                OciLayout.Open(project.Bundles);
        }
        catch (SlipwayException)
        {
            AtomicFile.Rename(mark, Path.Combine(aside, "oci-layout"));
        }

        var layout = OciLayout.Create(project.Bundles);
        try
        {
            _ = layout.Entries();
            return "wrote the layout's mark anew; its index is as it was";
        }
        catch (SlipwayException)
        {
            return $"listed {layout.RebuildIndex(Path.Combine(aside, "index.json"), cancellation)} manifests in a new index; give bundles their tags again with `slipway tag`";
        }
    }

    private static IEnumerable<Digest> Digests(StoreReport report, params Trouble[] kinds) => report.Findings.Where(finding => kinds.Contains(finding.Kind)).Select(finding => Digest.Parse(finding.Name));
}
