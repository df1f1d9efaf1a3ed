using System.Collections.Immutable;
using Slipway.Documents.Runs;
using Slipway.Primitives.Bytes;
using Slipway.Store.Oci;
using Slipway.Trust.Attestations;
using Slipway.Trust.Verification;

namespace Slipway.Pipeline.Upkeep;

/// <summary>Which bundles' parts the blobs of a project's layout are.</summary>
/// <param name="sound">Objects of the content store that are what their names say.</param>
internal sealed class BundleOwners(OciLayout layout, ProjectFolder project, IReadOnlySet<Digest> sound)
{
    private readonly Dictionary<Digest, List<Owner>> owners = [];

    /// <param name="present">Blobs that are there.</param>
    /// <param name="changed">Those of them that are not what their names say.</param>
    public IEnumerable<Finding> Find(IReadOnlySet<Digest> present, IReadOnlySet<Digest> changed)
    {
        var newest = RunRecord.Ids(project).Take(1).Select(id => ObjectOwners.Read(project, id)?.Bundle).FirstOrDefault();
        var found = new List<Finding>();
        var tags = layout.Entries().Where(entry => entry.Annotation(OciLayout.TagAnnotation) is not null).ToLookup(entry => entry.Digest, entry => entry.Annotation(OciLayout.TagAnnotation)!);
        foreach (var digest in layout.Entries().Select(entry => entry.Digest).Distinct())
        {
            var name = tags[digest].Any() ? $"{string.Join(", ", tags[digest].Order(StringComparer.Ordinal).Select(tag => $"'{tag}'"))} ({digest.Short})" : digest.Short;
            switch (layout.Look(digest))
            {
                case { Manifest: { } manifest }:
                    Add(digest, manifest, name);
                    break;
                case { Index: { } index }:
                    foreach (var variant in index.Manifests)
                        Add(variant.Digest, new Owner(digest, false, $"a variant of {name}"));
                    break;
                case { Flaw: var flaw }:
                    found.Add(new Finding(Trouble.DamagedManifest, digest, $"{flaw}: what it held is not known", [$"bundle or attestation {name}"], Again(digest == newest) + "; `slipway doctor --repair` takes it out of the index"));
                    break;
            }
        }

        var unreadable = found.Select(finding => finding.Name).ToHashSet(StringComparer.Ordinal);
        foreach (var digest in changed.Where(digest => !unreadable.Contains(digest.ToString())))
            found.Add(new Finding(Trouble.DamagedBlob, digest, "was changed: its bytes have another digest", Of(digest), Remedy(digest, newest)));
        foreach (var digest in owners.Keys.Where(digest => !present.Contains(digest)))
            found.Add(new Finding(Trouble.MissingBlob, digest, "is missing", Of(digest), Remedy(digest, newest)));
        return found;
    }

    private void Add(Digest digest, OciManifest manifest, string name)
    {
        if (manifest.Subject is { } subject)
        {
            var said = manifest.Annotations?.GetValueOrDefault(Attestation.PredicateTypeAnnotation);
            foreach (var blob in manifest.Blobs)
                Add(blob.Digest, new Owner(subject.Digest, true, $"the attestation {said} of {subject.Digest.Short}"));
            return;
        }

        Add(manifest.Config.Digest, new Owner(digest, false, $"the config of bundle {name}"));
        foreach (var layer in manifest.Layers)
            Add(layer.Digest, new Owner(digest, false, $"{layer.Annotation(ModelPack.PathAnnotation) ?? "a layer"} of bundle {name}"));
    }

    private void Add(Digest digest, Owner owner)
    {
        if (!owners.TryGetValue(digest, out var list))
            owners[digest] = list = [];
        list.Add(owner);
    }

    private ImmutableArray<string> Of(Digest digest) => [.. owners.GetValueOrDefault(digest, []).Select(owner => owner.Name).Distinct()];

    private string Remedy(Digest digest, Digest? newest) =>
        !owners.TryGetValue(digest, out var needed) ? "nothing needs it: `slipway gc --delete` removes it"
        : sound.Contains(digest) ? "the content store has the same content: `slipway doctor --repair` puts it back"
        : needed.All(owner => owner.IsAttestation) ? "`slipway doctor --repair` takes the attestation out of the index; `slipway run` says again what it says of its bundles, others sign again what they said, or it is pulled from where it was pushed"
        : Again(newest is { } bundle && needed.Any(owner => owner.Bundle == bundle));

    private static string Again(bool isNewest) =>
        isNewest ? "`slipway run` seals it again" : "fetch it from where it was pushed (`slipway pull`), or seal it again from the inputs of its run";

    /// <param name="Bundle">Manifest that it is a part of, or an attestation of.</param>
    /// <param name="Name">For people.</param>
    private sealed record Owner(Digest Bundle, bool IsAttestation, string Name);
}
