using System.Collections.Immutable;
using System.Text.Json;
using System.Text.Json.Serialization;
using Slipway.Documents.Environments;
using Slipway.Documents.Runs;
using Slipway.Primitives.Bytes;
using Slipway.Primitives.Files;

namespace Slipway.Pipeline.Execution.Steps;

/// <summary>What a step key gave: published only when every output is durable in the content store.</summary>
/// <param name="Isolation">What held the stage to its declaration when it gave that. Beside the key: the same stage has the same key however it is enclosed.</param>
internal sealed record StepRecord(StepKeyDocument Step, ImmutableSortedDictionary<string, Artifact> Outputs, Isolation Isolation);

/// <summary>The step records of a project by key, and for each stage which key was its newest.</summary>
/// <remarks>A record that cannot be read is one that is not there: the stage runs again.</remarks>
internal sealed class StepStore(ProjectFolder project)
{
    /// <returns>Null when that step never ended well.</returns>
    public StepRecord? Find(Digest key) =>
        Read(PathOf(key), StepJson.Default.StepRecord) is { } record && record.Step.Key() == key ? record : null;

    /// <summary>The newest record of a stage, whatever its key; for explanations only.</summary>
    public StepRecord? Newest(string stage) =>
        Read(NewestOf(stage), StepJson.Default.NewestStep) is { } newest ? Find(newest.Key) : null;

    /// <summary>Every record by the key that its file is named by; null where the file is none, or is not that key's.</summary>
    public IEnumerable<(Digest Key, StepRecord? Record)> All() =>
        (Directory.Exists(project.Steps) ? Directory.EnumerateFiles(project.Steps, "*.json") : [])
            .Select(path => Digest.TryParse("sha256:" + Path.GetFileNameWithoutExtension(path), out var key) ? key : (Digest?)null)
            .OfType<Digest>().Select(key => (key, Find(key)));

    /// <summary>The newest key of each stage that ever ended well, whatever spec it was in.</summary>
    public IEnumerable<Digest> NewestKeys() =>
        (Directory.Exists(Newest()) ? Directory.EnumerateFiles(Newest(), "*.json") : []).Select(path => Read(path, StepJson.Default.NewestStep)?.Key).OfType<Digest>();

    /// <summary>Forgets what a step gave: the stage runs again.</summary>
    public void Forget(Digest key) => File.Delete(PathOf(key));

    /// <summary>Makes the outputs of a step known. They must be durable.</summary>
    public void Publish(StepRecord record)
    {
        var key = record.Step.Key();
        if (Find(key) is not { } known || !Content(known).SequenceEqual(Content(record)))
            AtomicFile.Write(PathOf(key), Content(record));
        MarkNewest(record.Step.Stage, key);
    }

    private static byte[] Content(StepRecord record) => CanonicalJson.Serialize(record, StepJson.Default.StepRecord);

    public void MarkNewest(string stage, Digest key)
    {
        if (Read(NewestOf(stage), StepJson.Default.NewestStep)?.Key != key)
            AtomicFile.WriteLoosely(NewestOf(stage), CanonicalJson.Serialize(new NewestStep(key), StepJson.Default.NewestStep));
    }

    /// <summary>Keeps what a fingerprint's digest stands for.</summary>
    public void Keep(HostFingerprint environment)
    {
        var path = PathOfEnvironment(environment.Digest);
        if (!File.Exists(path))
            AtomicFile.Write(path, CanonicalJson.Serialize(environment, Slipway.Documents.DocumentJson.Default.HostFingerprint));
    }

    public HostFingerprint? Environment(Digest digest) => Read(PathOfEnvironment(digest), Slipway.Documents.DocumentJson.Default.HostFingerprint);

    public string PathOf(Digest key) => Path.Combine(project.Steps, key.Hex + ".json");

    private string Newest() => Path.Combine(project.Steps, "newest");

    private string NewestOf(string stage) => Path.Combine(Newest(), stage + ".json");

    private string PathOfEnvironment(Digest digest) => Path.Combine(project.Environments, digest.Hex + ".json");

    private static T? Read<T>(string path, System.Text.Json.Serialization.Metadata.JsonTypeInfo<T> type)
        where T : class
    {
        if (!File.Exists(path))
            return null;
        try
        {
            return JsonSerializer.Deserialize(File.ReadAllBytes(path), type);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException or JsonException)
        {
            return null;
        }
    }
}

internal sealed record NewestStep(Digest Key);

[JsonSourceGenerationOptions(JsonSerializerDefaults.Strict, PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase)]
[JsonSerializable(typeof(StepRecord))]
[JsonSerializable(typeof(NewestStep))]
[JsonSerializable(typeof(StageDocument))]
[JsonSerializable(typeof(string))]
internal sealed partial class StepJson : JsonSerializerContext;

/// <summary>What <c>$SLIPWAY_STAGE</c> names: the stage's own view of its declaration. All paths are relative to the working directory.</summary>
internal sealed record StageDocument(
    string Stage,
    ImmutableSortedDictionary<string, string> Inputs,
    ImmutableSortedDictionary<string, string> Outputs,
    ImmutableSortedDictionary<string, JsonElement> Params,
    long Seed,
    int Threads);
