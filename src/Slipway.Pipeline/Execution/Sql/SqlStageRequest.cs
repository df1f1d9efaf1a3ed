using System.Collections.Immutable;
using System.Text.Json;
using System.Text.Json.Serialization;
using Slipway.Documents.Specs;
using Slipway.Engines.DuckDb;
using Slipway.Engines.DuckDb.Tables;
using Slipway.Primitives.Bytes;
using Slipway.Primitives.Faults;
using Slipway.Primitives.Files;
using Slipway.Primitives.Units;

namespace Slipway.Pipeline.Execution.Sql;

/// <summary>What the child process of an SQL stage is asked to do. Paths are relative to its working directory.</summary>
/// <remarks>
/// A dataset is a view by its name, <c>stage.output</c> a view <c>output</c> in the schema <c>stage</c>, and a table file of the
/// project a view by its name without extension. A param is read with <c>getvariable('name')</c>: numbers, strings and booleans
/// as such, lists and maps as JSON text. Each output is a table, or view, of its name.
/// </remarks>
/// <param name="Sql">The SQL file.</param>
/// <param name="Inputs">Files by view name.</param>
/// <param name="Outputs">File by output name.</param>
/// <param name="MemoryLimit">What the engine may use before it spills to <paramref name="Scratch"/>.</param>
/// <param name="Scratch">Absolute; private to this stage.</param>
public sealed record SqlStageRequest(
    string Sql,
    ImmutableSortedDictionary<string, ImmutableArray<string>> Inputs,
    ImmutableSortedDictionary<string, string> Outputs,
    ImmutableSortedDictionary<string, JsonElement> Params,
    ByteSize MemoryLimit,
    string Scratch)
{
    /// <summary>In the step key of every SQL stage: another version may give other results. A test holds it to the bound library.</summary>
    internal const string Engine = "duckdb 1.5.6";

    /// <summary>For a stage without a hardware profile: plenty for some million rows, harmless on a laptop.</summary>
    internal static readonly ByteSize DefaultMemory = new(2L << 30);

    /// <summary>Runs the stage that a request file asks for, in the current directory; the whole life of the child process.</summary>
    /// <exception cref="SlipwayException">No such request, a fault in the script or an input (exit 2); disk or memory ran out (exit 3).</exception>
    public static void Run(string requestFile, CancellationToken cancellation)
    {
        var request = Read(requestFile);
        new SqlStage
        {
            Script = File.ReadAllText(request.Sql),
            ScriptName = request.Sql,
            Inputs = request.Inputs.ToImmutableSortedDictionary(input => input.Key, input => input.Value.Select(Path.GetFullPath).ToImmutableArray()),
            Outputs = request.Outputs.ToImmutableSortedDictionary(output => output.Key, output => Path.GetFullPath(output.Value)),
            Variables = request.Params.ToImmutableSortedDictionary(param => param.Key, param => Literal(param.Value)),
            ScratchFolder = request.Scratch,
            MemoryLimit = request.MemoryLimit,
        }.Run(cancellation);
    }

    internal void Write(string path) => AtomicFile.WriteNew(path, CanonicalJson.Serialize(this, SqlJson.Default.SqlStageRequest));

    private static SqlStageRequest Read(string path)
    {
        try
        {
            return JsonSerializer.Deserialize(File.ReadAllBytes(path), SqlJson.Default.SqlStageRequest) ?? throw new JsonException("null");
        }
        catch (Exception e) when (e is JsonException or IOException or UnauthorizedAccessException)
        {
            throw new SlipwayException(ExitCode.UnusableInput, new Fault("bad-request", $"{path} is no request for an SQL stage: {e.Message}"), e);
        }
    }

    private static string Literal(JsonElement value) => value.ValueKind switch
    {
        JsonValueKind.Null => "NULL",
        JsonValueKind.True or JsonValueKind.False => SqlText.Literal(value.GetBoolean()),
        JsonValueKind.Number when value.TryGetInt64(out var whole) => SqlText.Literal(whole),
        JsonValueKind.Number => SqlText.Literal(value.GetDouble()),
        _ => SqlText.Literal(StageParams.Text(value)),
    };
}

[JsonSourceGenerationOptions(JsonSerializerDefaults.Strict, PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase)]
[JsonSerializable(typeof(SqlStageRequest))]
internal sealed partial class SqlJson : JsonSerializerContext;
