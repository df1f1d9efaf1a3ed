using System.Collections.Immutable;
using System.Text.Json;
using System.Text.Json.Serialization;
using Slipway.Documents;
using Slipway.Documents.Evaluations;
using Slipway.Documents.Runs;
using Slipway.Documents.Specs;
using Slipway.Pipeline.Execution;
using Slipway.Pipeline.Execution.Sql;
using Slipway.Primitives.Bytes;
using Slipway.Primitives.Faults;
using Slipway.Primitives.Files;
using Slipway.Store.Content;
using Slipway.Store.Oci;
using Slipway.Trust.Policies;

using EvaluationDocument = Slipway.Documents.Evaluations.Evaluation;

namespace Slipway.Pipeline.Sealing;

/// <summary>What runs of a project have sealed and attested, by all that could influence it: a run that would come to the very same ends there.</summary>
/// <remarks>
/// As for stages: the record is published when everything in it is durable, and believed while every file that it rests on has the stamp that it had then. A record that cannot be read is
/// one that is not there. Whoever is to trust a bundle verifies it; this only spares computing it again.
/// </remarks>
internal sealed class SealStore(ProjectFolder project)
{
    /// <summary>To be raised whenever the key or the record means something else.</summary>
    private const string Format = "slipway seal 1";

    /// <summary>Whose code computes what is sealed and judged: another build of one of them computes it again.</summary>
    private static readonly Type[] computing = [typeof(SealStore), typeof(Spec), typeof(Stats.Metrics.BinaryMetrics), typeof(Expressions.GateExpression), typeof(Engines.DuckDb.DuckDatabase), typeof(OciLayout), typeof(TrustPolicy)];

    /// <param name="pins">Data, environments and baseline that the run used.</param>
    /// <param name="code">What is sealed beside the model.</param>
    /// <param name="signer">Id of the key that attests.</param>
    /// <param name="trusted">Whose word on the baseline is believed.</param>
    public static Digest KeyOf(Spec spec, ProjectLock pins, RunOutcome outcome, ImmutableArray<SealFile> code, string signer, TrustPolicy trusted, string toolVersion) => Digest.Of(CanonicalJson.Serialize(
        new SealKeyDocument(
            Format,
            [.. computing.Select(type => type.Module.ModuleVersionId.ToString()), SqlStageRequest.Engine, toolVersion],
            Digest.Of(CanonicalJson.Serialize(spec.ForSeal(), DocumentJson.Default.Spec)),
            Digest.Of(ProjectLockFile.Format(pins)),
            [.. outcome.Stages.Select(stage => stage.Key)],
            [.. outcome.Stages.Select(stage => stage.Isolation)],
            [.. outcome.Stages.SelectMany(stage => stage.Outputs.Values).Select(output => output.Digest)],
            FileTree.Of(code.Select(file => new FileTreeEntry(file.Path, file.Executable, file.Size, file.Digest))).Digest,
            signer,
            trusted.Digest),
        SealJson.Default.SealKeyDocument));

    /// <returns>Null when this was never sealed, or anything that it rests on is not as it was.</returns>
    public SealRecord? Find(Digest key)
    {
        try
        {
            var record = JsonSerializer.Deserialize(File.ReadAllBytes(PathOf(key)), SealJson.Default.SealRecord);
            return record is not null && record.Files.All(file => FileStamp.Of(Path.Combine(project.Bundles, file.Key))?.ToText() == file.Value) ? record : null;
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException or JsonException or SlipwayException)
        {
            return null;
        }
    }

    /// <summary>A record and all that it rests on, absolute.</summary>
    public IEnumerable<string> PathsOf(Digest key, SealRecord record) => record.Files.Keys.Select(file => Path.Combine(project.Bundles, file)).Append(PathOf(key));

    /// <summary>Remembers what is in the layout now: the index, the bundle, and everything that is attached to it.</summary>
    public void Publish(Digest key, OciLayout layout, SealedBundle bundle, EvaluationDocument? evaluation, GateReport? gates, ImmutableArray<string> warnings, TimeProvider clock)
    {
        var attached = layout.Referrers(bundle.Digest);
        var own = layout.ReadBlob(bundle.Digest, OciManifest.MaxBytes);
        if (own.State != BlobState.Intact || attached.Any(referrer => referrer.Manifest is null))
            return;
        var names = attached.Select(referrer => (referrer.Entry.Digest, Manifest: referrer.Manifest!)).Append((bundle.Digest, Manifest: OciManifest.Parse(own.Bytes)))
            .SelectMany(each => each.Manifest.Blobs.Select(blob => blob.Digest).Append(each.Digest)).Select(digest => Path.GetRelativePath(project.Bundles, layout.BlobPath(digest))).Append("index.json").Distinct();
        // A change right after the look must show in the stamp.
        var now = (clock.GetUtcNow() - DateTimeOffset.UnixEpoch).Ticks * 100;
        var files = Stamps();
        if (files.Any(file => file.Stamp is { } stamp && stamp.IsRacy(now)))
        {
            Thread.Sleep(TimeSpan.FromMicroseconds(2 * FileStamp.Granularity / 1000));
            files = Stamps();
        }

        if (files.All(file => file.Stamp is not null))
        {
            AtomicFile.CreateFolder(project.Seals);
            AtomicFile.Write(PathOf(key), CanonicalJson.Serialize(new SealRecord(bundle, evaluation, gates, warnings, files.ToImmutableSortedDictionary(file => file.Name, file => file.Stamp!.Value.ToText(), StringComparer.Ordinal)), SealJson.Default.SealRecord));
        }

        List<(string Name, FileStamp? Stamp)> Stamps() => [.. names.Select(name => (name, FileStamp.Of(Path.Combine(project.Bundles, name))))];
    }

    private string PathOf(Digest key) => Path.Combine(project.Seals, key.Hex + ".json");
}

/// <summary>All that can influence a bundle and what is attested of it. Its canonical JSON's digest is the key.</summary>
internal sealed record SealKeyDocument(
    string Format, ImmutableArray<string> Program, Digest Spec, Digest Lock, ImmutableArray<Digest> Steps, ImmutableArray<Isolation> Isolations, ImmutableArray<Digest> Outputs, Digest Code, string Signer, Digest Trusted);

/// <param name="Warnings">Of the evaluation.</param>
/// <param name="Files">Stamp by path in the layout, of everything that it rests on.</param>
internal sealed record SealRecord(SealedBundle Bundle, EvaluationDocument? Evaluation, GateReport? Gates, ImmutableArray<string> Warnings, ImmutableSortedDictionary<string, string> Files);

[JsonSourceGenerationOptions(JsonSerializerDefaults.Strict, PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase)]
[JsonSerializable(typeof(SealKeyDocument))]
[JsonSerializable(typeof(SealRecord))]
internal sealed partial class SealJson : JsonSerializerContext;
