using System.Collections.Immutable;
using System.Text.Json;
using Slipway.Documents.Bundles;
using Slipway.Documents.Runs;
using Slipway.Documents.Statements;
using Slipway.Primitives.Bytes;
using Slipway.Trust.Attestations;

namespace Slipway.Pipeline.Sealing;

/// <summary>Who built a bundle, from what, when and where: what is true of the run and no part of the bundle's digest.</summary>
/// <param name="Bundle">The sealed bundle's digest.</param>
/// <param name="Code">The files that were sealed as code.</param>
/// <param name="Source">The work tree that the run started from; null where there is none.</param>
/// <param name="Builder">URI of what ran it, and is believed by whoever believes the key.</param>
/// <param name="ToolVersion">Of Slipway.</param>
/// <param name="InvocationId">The run's id.</param>
/// <param name="Stages">In the order in which they ended.</param>
internal sealed record Provenance(
    Digest Bundle,
    BundleDocuments Documents,
    ImmutableArray<SealFile> Code,
    SourceRevision? Source,
    string Builder,
    string ToolVersion,
    string InvocationId,
    DateTimeOffset Started,
    DateTimeOffset Finished,
    ImmutableArray<StageMeasurement> Stages)
{
    public const string BuildType = SlsaProvenance.OwnBuildType;

    /// <summary>Whether a statement is one of these, and not another tool's of the same type.</summary>
    public static bool IsOurs(Statement statement) =>
        statement is { PredicateType: SlsaProvenance.PredicateType, Predicate: { ValueKind: JsonValueKind.Object } predicate }
        && predicate.TryGetProperty("buildDefinition", out var definition) && definition.ValueKind == JsonValueKind.Object
        && definition.TryGetProperty("buildType", out var type) && type.ValueEquals(BuildType);

    /// <summary>The isolation of the stage that was held least.</summary>
    private Isolation Isolation => Stages.Select(stage => stage.Isolation).DefaultIfEmpty(Isolation.None).Min();

    /// <summary>Whether a known statement says of the stages at least what this one would.</summary>
    public static bool SaysAsMuch(Statement statement, Isolation isolation) =>
        IsOurs(statement) && SlsaProvenance.Read(statement.Predicate)?.BuildDefinition.InternalParameters?.Isolation >= isolation;

    /// <summary>As a statement of SLSA provenance v1.</summary>
    public Statement ToStatement()
    {
        var spec = Documents.Spec;
        var predicate = new SlsaProvenance(
            new BuildDefinition(
                BuildType,
                new ExternalParameters(ResourceDescriptor.SealedSpec(Digest.Of(Documents.ToFiles()["spec.json"])), spec.Params),
                [.. Dependencies()])
            { InternalParameters = new InternalParameters(Isolation) },
            new RunDetails(
                new Builder(Builder, ImmutableSortedDictionary<string, string>.Empty.Add("slipway", ToolVersion)),
                new BuildMetadata(InvocationId, StatementJson.Time(Started), StatementJson.Time(Finished)),
                [.. Stages.Select(stage => stage.ToResource())]));
        return Statement.About(Bundle, spec.Name, SlsaProvenance.PredicateType, predicate.ToJson());
    }

    private IEnumerable<ResourceDescriptor> Dependencies()
    {
        if (Source is not null)
            yield return Source.ToResource();
        foreach (var (name, snapshot) in Documents.Snapshots)
            yield return new ResourceDescriptor($"data/{name}", Documents.Spec.Data.GetValueOrDefault(name)?.Source?.Url, ResourceDescriptor.Sha256(snapshot.Digest));
        foreach (var (name, environment) in Documents.Environments)
            yield return new ResourceDescriptor($"environments/{name}", null, ResourceDescriptor.Sha256(environment.Digest));
        if (Documents.Lock.Baseline is { } baseline)
            yield return new ResourceDescriptor("baseline", null, ResourceDescriptor.Sha256(baseline));
        foreach (var file in Code.OrderBy(file => file.Path, StringComparer.Ordinal))
            yield return new ResourceDescriptor(file.Path, null, ResourceDescriptor.Sha256(file.Digest));
    }
}

/// <summary>What a stage took, as the host measured it.</summary>
/// <param name="Cached">Its outputs came from a cache; then the measures are of the look-up.</param>
/// <param name="PeakMemory">Bytes of the largest process; null when cached.</param>
/// <param name="Isolation">What held it to its declaration when its outputs were made.</param>
/// <param name="SharedBy">Id of the key that signed for its outputs in a shared cache; null when they came from none.</param>
internal sealed record StageMeasurement(string Stage, bool Cached, double Seconds, long? PeakMemory, Isolation Isolation, string? SharedBy = null)
{
    internal ResourceDescriptor ToResource()
    {
        var annotations = ImmutableSortedDictionary.CreateBuilder<string, JsonElement>(StringComparer.Ordinal);
        annotations["cached"] = Json(Cached ? "true" : "false");
        annotations["isolation"] = Json($"\"{Isolation.Word()}\"");
        annotations["seconds"] = Json(CanonicalJson.Number(Seconds));
        if (SharedBy is { } key)
            annotations["sharedBy"] = Json($"\"{key}\"");
        if (PeakMemory is { } bytes)
            annotations["peakMemoryBytes"] = Json(CanonicalJson.Number(bytes));
        return new ResourceDescriptor($"stages/{Stage}", $"{Provenance.BuildType}#stages/{Uri.EscapeDataString(Stage)}", Annotations: annotations.ToImmutable());
    }

    private static JsonElement Json(string text)
    {
        using var document = JsonDocument.Parse(text);
        return document.RootElement.Clone();
    }
}
