using System.Collections.Immutable;
using System.Globalization;
using Slipway.Documents.Hardware;
using Slipway.Documents.Monitoring;
using Slipway.Documents.Reading;
using Slipway.Documents.Rollouts;

namespace Slipway.Documents.Specs;

/// <summary>The keys of <c>slipway.yaml</c> itself, and of its small sections.</summary>
internal static class SpecGrammar
{
    public const int FormatVersion = 1;

    private static readonly Key<string> Url = new("url", Shapes.Line, "Where it came from; nothing is fetched.", required: true);
    private static readonly Key<string> License = new("license", Shapes.Line, "SPDX name of the license.");
    private static readonly Key<string> Path = new("path", ProjectPath.Source, "File, folder or glob: CSV, Parquet or JSON lines.", required: true);
    private static readonly Key<string> Expect = new("expect", ProjectPath.File, "Expectations file.");
    private static readonly Key<DatasetSource> Source = new(
        "source", new RecordShape<DatasetSource>([Url, License], fields => new(fields.Of(Url) ?? "", fields.Of(License))), "Where the data came from, for the reader.");

    private static readonly Shape<Sensitivity> Sensitive = new ChoiceShape<Sensitivity>([.. Enum.GetValues<Sensitivity>().Reverse().Select(sensitivity => (sensitivity.Word(), sensitivity))]);
    private static readonly Key<Sensitivity> DefaultSensitivity = new("default", Sensitive, "Of every column that is not named; public when left out.");
    private static readonly Key<ImmutableArray<Named<ColumnSensitivity>>> Columns = new(
        "columns", new NamedShape<ColumnSensitivity>(Shapes.Made(Sensitive, sensitivity => new ColumnSensitivity(sensitivity)), NameRule.Foreign), "Of columns by name.");
    private static readonly Key<DataSensitivity> SensitivityKey = new(
        "sensitivity",
        new RecordShape<DataSensitivity>([DefaultSensitivity, Columns], fields => new(
            fields.Value(DefaultSensitivity) ?? Sensitivity.Public,
            fields.Items(Columns).Where(column => column.Value is not null).ToImmutableSortedDictionary(column => column.Name, column => column.Value!.Sensitivity, StringComparer.Ordinal))),
        "Who may see its values: profiles, drift and captured requests go by it.");

    private static readonly Key<long> SampleRows = new("rows", new WholeShape(1, SampleSpec.MostRows), "Rows that are looked at; 10000 when left out.");
    private static readonly Key<long> SampleSeed = new("seed", new WholeShape(0, uint.MaxValue), "Chooses other rows; 42 when left out.");
    private static readonly Key<SampleSpec> Sample = new(
        "sample",
        new RecordShape<SampleSpec>([SampleRows, SampleSeed], fields => new(fields.Value(SampleRows) ?? SampleSpec.Default.Rows, fields.Value(SampleSeed) ?? SampleSpec.Default.Seed)),
        "What `slipway check` takes of it; outside the bundle's digest.");

    private static readonly Shape<DatasetSpec> Dataset = new RecordShape<DatasetSpec>(
        [Path, Expect, Source, SensitivityKey, Sample],
        fields => new("", fields.Of(Path) ?? "", fields.Of(Expect), fields.Of(Source)) { At = fields.At, Sensitivity = fields.Of(SensitivityKey), Sample = fields.Of(Sample) ?? SampleSpec.Default });

    private static readonly Key<ImmutableArray<string>> Packages = new(
        "packages", new ListShape<string>(new TextShape("the name of a Debian package", IsPackage, "^[a-z0-9][a-z0-9+.-]{1,99}$"), atLeast: 1, distinct: true), "Debian packages that the host must have.", required: true);
    private static readonly Key<Host> HostKey = new("host", new RecordShape<Host>([Packages], fields => new(fields.Items(Packages))), "Packages of the host, fingerprinted with all that they depend on.", required: true);

    private static readonly Shape<EnvironmentSpec> Environment = new RecordShape<EnvironmentSpec>(
        [HostKey], fields => new("", fields.Of(HostKey)?.Packages ?? []) { At = fields.At });

    private static readonly Key<long> Seed = new("seed", new WholeShape(0, uint.MaxValue), "Seed of every stage; 42 when left out.");
    private static readonly Key<Epoch> EpochKey = new(
        "epoch",
        Shapes.Made(new ParsedShape<long>(
            TryEpoch,
            "a date such as 1980-01-01 or a time such as 1980-01-01T12:00:00Z, from 1970 to 2199",
            "^(19[7-9][0-9]|20[0-9]{2}|21[0-9]{2})-[0-9]{2}-[0-9]{2}(T[0-9]{2}:[0-9]{2}:[0-9]{2}Z)?$",
            "bad-value"), seconds => new Epoch(seconds)),
        "SOURCE_DATE_EPOCH and archive times; 1980-01-01 when left out.");

    private static readonly Key<bool> Addresses = new(
        "addresses", new ChoiceShape<bool>(("random", false), ("fixed", true)), "Whether the kernel gives a stage's processes random addresses, or always the same; random when left out.");

    private static readonly Shape<DeterminismSpec> Determinism = new RecordShape<DeterminismSpec>(
        [Seed, EpochKey, Addresses],
        fields => new(fields.Value(Seed) ?? DeterminismSpec.Default.Seed, fields.Of(EpochKey)?.Seconds ?? DeterminismSpec.Default.Epoch) { FixedAddresses = fields.Value(Addresses) ?? false });

    private static readonly Key<long> Version = new("slipway", new WholeShape(FormatVersion, FormatVersion), "Format version: 1.", required: true);
    private static readonly Key<Placed<string>> Requires = new("requires", Shapes.Placed(Shapes.Version), "Condition on the program's version, such as '>=0.1'.");
    private static readonly Key<string> Name = new("name", Shapes.Name, "The project's name.", required: true);
    private static readonly Key<string> Description = new("description", Shapes.Text, "What it is about; outside the bundle's digest.");
    private static readonly Key<ImmutableArray<string>> Owners = new("owners", new ListShape<string>(Shapes.Line, distinct: true), "Who answers for it; outside the bundle's digest.");
    private static readonly Key<ImmutableArray<Named<DatasetSpec>>> Data = new("data", new NamedShape<DatasetSpec>(Dataset, NameRule.Identifier), "Datasets by name.");
    private static readonly Key<ImmutableArray<Named<EnvironmentSpec>>> Environments = new("environments", new NamedShape<EnvironmentSpec>(Environment, NameRule.Identifier), "Environments by name.");
    private static readonly Key<ImmutableArray<Named<HardwareProfile>>> Hardware = new("hardware", new NamedShape<HardwareProfile>(HardwareGrammar.Profile, NameRule.Identifier), "Hardware profiles by name: requirements, never measurements.");
    private static readonly Key<DeterminismSpec> DeterminismKey = new("determinism", Determinism, "What is fixed so that a run can be repeated.");
    private static readonly Key<ParamsDraft> Params = new(
        "params",
        new EitherShape<ParamsDraft>(
            scalar: new MadeShape<string, ParamsDraft>(ProjectPath.File, (file, node) => new(null, new Placed<string>(file, node.At))),
            map: Shapes.Made(new ParamGrammar(), values => new ParamsDraft(values, null))),
        "Values by name, or the file that holds them.");
    private static readonly Key<ImmutableArray<Named<StageDraft>>> Stages = new("stages", new NamedShape<StageDraft>(StageGrammar.Stage, NameRule.Identifier), "Commands and SQL files with declared inputs and outputs.");
    private static readonly Key<ModelDraft> Model = new("model", ModelGrammar.Model, "What is sealed and served.");
    private static readonly Key<EvaluateDraft> Evaluate = new("evaluate", EvaluateGrammar.Evaluate, "How the model is judged.");
    private static readonly Key<ImmutableArray<GateSpec>> Gates = new("gates", EvaluateGrammar.Gates, "Conditions that the model must pass.");
    private static readonly Key<ReleaseDraft> Release = new("release", ReleaseGrammar.Release, "How it is released; outside the bundle's digest, and bounded by the server's policy.");

    private static readonly Key<Sound<MonitorDraft>> Monitor = new("monitor", MonitorGrammar.Monitor, "How it is watched; outside the bundle's digest, a part of the release plan.");

    private static readonly Key<CachePlace> Cache = new(
        "cache", new ParsedShape<CachePlace>((text, out place) => CachePlace.TryParse(text, out place!), CachePlace.Allowed, CachePlace.Pattern, "bad-value"),
        "Where outputs of stages are shared with other machines; outside the bundle's digest.");

    public static Shape<SpecDraft> Spec { get; } = new RecordShape<SpecDraft>(
        [Version, Requires, Name, Description, Owners, License, Data, Environments, Hardware, DeterminismKey, Params, Stages, Model, Evaluate, Gates, Release, Monitor, Cache],
        fields => new(
            fields.Value(Requires),
            fields.Of(Name),
            fields.Of(Description),
            fields.Items(Owners),
            fields.Of(License),
            fields.Known(Data),
            fields.Known(Environments),
            fields.Known(Hardware),
            fields.Of(DeterminismKey),
            fields.Of(Params) ?? new ParamsDraft(fields.IsUnread(Params) ? null : [], null),
            fields.Known(Stages),
            fields.Of(Model),
            fields.Has(Model) || fields.IsUnread(Model),
            fields.Of(Evaluate),
            fields.Has(Evaluate) || fields.IsUnread(Evaluate),
            fields.Items(Gates),
            fields.PlaceOf(Gates),
            fields.Of(Release),
            fields.Of(Monitor),
            fields.Of(Cache)));

    private static bool IsPackage(string text) =>
        text.Length is >= 2 and <= 100
        && (char.IsAsciiLetterLower(text[0]) || char.IsAsciiDigit(text[0]))
        && text.All(c => char.IsAsciiLetterLower(c) || char.IsAsciiDigit(c) || c is '+' or '.' or '-');

    private static bool TryEpoch(string text, out long seconds)
    {
        seconds = 0;
        if (!DateTimeOffset.TryParseExact(text, ["yyyy-MM-dd", "yyyy-MM-dd'T'HH:mm:ss'Z'"], CultureInfo.InvariantCulture, DateTimeStyles.AssumeUniversal, out var time)
            || time.Year is < 1970 or > 2199)
            return false;
        seconds = time.ToUnixTimeSeconds();
        return true;
    }

    private sealed record ColumnSensitivity(Sensitivity Sensitivity);

    private sealed record Host(ImmutableArray<string> Packages);

    private sealed record Epoch(long Seconds);
}
