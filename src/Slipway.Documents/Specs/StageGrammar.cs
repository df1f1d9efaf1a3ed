using System.Collections.Immutable;
using System.Text.Json;
using Slipway.Documents.Reading;
using Slipway.Primitives.Units;

namespace Slipway.Documents.Specs;

/// <summary>The keys below <c>stages:</c>.</summary>
internal static class StageGrammar
{
    /// <summary>What fails eleven times is not repaired by a twelfth.</summary>
    private const int MostRetries = 10;

    /// <summary>Each is looked for in every file that the stage writes.</summary>
    private const int MostSecrets = 100;

    /// <summary>Params of one foreach; the combinations are bounded besides, by <see cref="StageMatrix"/>.</summary>
    private const int MostKeys = 16;

    /// <summary>Names of params; a nested one is dotted.</summary>
    private static readonly NameRule paramNames = new(
        $@"{NameRule.Identifier.Pattern}(\.{NameRule.Identifier.Pattern})*",
        "the name of a param, dotted where it is nested",
        name => name.Length <= NameRule.Longest && name.Split('.').All(NameRule.IsIdentifier),
        IgnoresOwn: true);

    private static readonly Key<Command> Run = new("run", Shapes.Command, "The command: a line for the shell, or a list of arguments.");
    private static readonly Key<Placed<string>> Sql = new("sql", Shapes.Placed(ProjectPath.File), "SQL file; inputs are views by their names, outputs tables by theirs.");
    private static readonly Key<ImmutableArray<Placed<string>>> In = new(
        "in", new ListShape<Placed<string>>(Shapes.Placed(ProjectPath.Input), distinct: true), "What it reads: datasets, other stages' outputs as stage.output, and paths.");
    private static readonly Key<ImmutableArray<Named<string>>> Out = new(
        "out", new NamedShape<string>(ProjectPath.Output, NameRule.Identifier, isNeeded: true), "What it writes: path by output name; a folder ends in a slash.", required: true);
    private static readonly Key<ImmutableArray<Placed<string>>> Params = new(
        "params", new ListShape<Placed<string>>(Shapes.Reference, distinct: true), "Names of the params that it uses; no other reaches it.");
    private static readonly Key<Placed<string>> Env = new("env", Shapes.Reference, "Name of an environment.");
    private static readonly Key<Placed<string>> Hardware = new("hardware", Shapes.Reference, "Name of a hardware profile.");
    private static readonly Key<Duration> Timeout = new("timeout", Amounts.Time, "Longest time that it may take.");
    private static readonly Key<int> Retries = new("retries", Shapes.Made(new WholeShape(0, MostRetries), n => (int)n), "Most times that its command is repeated after it failed; 0 when left out.");
    private static readonly Key<ImmutableArray<string>> Secrets = new(
        "secrets",
        new ListShape<string>(new TextShape(SecretName.Allowed, SecretName.IsOne, SecretName.Pattern, "bad-name"), atMost: MostSecrets, distinct: true),
        "Names of the secrets that it gets as variables; values come at run time and are kept nowhere.");
    private static readonly Key<StageNetwork> Network = new(
        "network",
        new ChoiceShape<StageNetwork>([.. Enum.GetValues<StageNetwork>().Select(network => (network.Word(), network))]),
        "none; host: it may use the network, and always runs; pinned: it may, and what it fetches is fixed by its inputs. none when left out.");
    private static readonly Key<StageWhen> When = new(
        "when",
        new ChoiceShape<StageWhen>([.. Enum.GetValues<StageWhen>().Select(when => (when.Word(), when))]),
        "When it runs: when anything changed that can influence its outputs, always, or when it is named (manual). changed when left out.");
    private static readonly Key<ImmutableArray<Placed<string>>> Metrics = new(
        "metrics", new ListShape<Placed<string>>(Shapes.Reference, distinct: true), "Names of its outputs that are JSON files with figures, which runs record and compare.");
    private static readonly Key<ImmutableArray<Named<ForeachValues>>> Foreach = new(
        "foreach",
        new NamedShape<ForeachValues>(Shapes.Made(new ListShape<JsonElement>(new ParamValueShape(), atLeast: 1, distinct: true), values => new ForeachValues(values)), paramNames, atMost: MostKeys),
        "Values by param: the stage stands for one stage per combination of them.");

    public static Shape<StageDraft> Stage { get; } = new RecordShape<StageDraft>(
        [Run, Sql, In, Out, Params, Env, Hardware, Timeout, Retries, Secrets, Network, When, Metrics, Foreach],
        fields => new(
            fields.Of(Run),
            fields.Has(Run) || fields.IsUnread(Run),
            fields.Value(Sql),
            fields.Has(Sql) || fields.IsUnread(Sql),
            fields.Items(In),
            fields.Known(Out),
            fields.Known(Params),
            fields.Value(Env),
            fields.Value(Hardware),
            fields.Value(Timeout))
        {
            Retries = fields.Value(Retries) ?? 0,
            Secrets = fields.Items(Secrets),
            Network = fields.Value(Network) ?? StageNetwork.None,
            NetworkAt = fields.PlaceOf(Network),
            SecretsAt = fields.PlaceOf(Secrets),
            When = fields.Value(When) ?? StageWhen.Changed,
            Metrics = fields.Items(Metrics),
            Foreach = fields.Items(Foreach),
        });
}
