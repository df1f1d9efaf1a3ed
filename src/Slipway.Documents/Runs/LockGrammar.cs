using System.Collections.Immutable;
using System.Diagnostics.CodeAnalysis;
using System.Text.Json.Nodes;
using Slipway.Documents.Environments;
using Slipway.Documents.Reading;
using Slipway.Primitives.Bytes;

namespace Slipway.Documents.Runs;

/// <summary>The keys of <c>slipway.lock</c>.</summary>
internal static class LockGrammar
{
    public const int FormatVersion = 1;

    private const long MostBytes = (1L << 53) - 1;

    private static readonly Shape<Digest> DigestText = new ParsedShape<Digest>(Digest.TryParse, "a digest: sha256: and 64 lower-case hex digits", "^sha256:[0-9a-f]{64}$", "bad-digest");

    private static readonly Key<Digest> Pin = new("digest", DigestText, "Digest of the content.", required: true);
    private static readonly Key<long> Size = new("size", new WholeShape(0, MostBytes), "Bytes of all files.", required: true);
    private static readonly Key<long> Rows = new("rows", new WholeShape(0, MostBytes), "Rows of all files.", required: true);

    private static readonly Shape<DatasetPin> Dataset = new RecordShape<DatasetPin>(
        [Pin, Size, Rows], fields => new(fields.Value(Pin) ?? default, fields.Value(Size) ?? 0, fields.Value(Rows) ?? 0));

    private static readonly Key<string> Name = new("name", new TextShape(longest: NameRule.Longest), "Its name in the spec.", required: true);
    private static readonly Key<string> Architecture = new("architecture", new TextShape(longest: NameRule.Longest), "Debian's name.", required: true);
    private static readonly Key<ImmutableArray<Named<string>>> Packages = new("packages", new NamedShape<string>(new TextShape(longest: 200), NameRule.Foreign, atMost: 20_000), "Version by package.", required: true);

    private static readonly Shape<HostFingerprint> Environment = new RecordShape<HostFingerprint>(
        [Name, Pin, Architecture, Packages],
        fields => new(
            fields.Of(Name) ?? "",
            fields.Value(Pin) ?? default,
            fields.Of(Architecture) ?? "",
            ByName(fields.Items(Packages))));

    private static readonly Key<long> Version = new("version", new WholeShape(FormatVersion, FormatVersion), "Format version: 1.", required: true);
    private static readonly Key<ImmutableArray<Named<DatasetPin>>> Data = new("data", new NamedShape<DatasetPin>(Dataset, NameRule.Identifier), "Datasets by name.", required: true);
    private static readonly Key<ImmutableArray<Named<HostFingerprint>>> Environments = new("environments", new NamedShape<HostFingerprint>(Environment, NameRule.Identifier), "Environments by name.", required: true);
    private static readonly Key<Baseline> BaselineKey = new("baseline", new BaselineShape(), "Manifest digest of the baseline bundle, or null.", required: true);

    public static Shape<ProjectLock> Lock { get; } = new RecordShape<ProjectLock>(
        [Version, Data, Environments, BaselineKey],
        fields => new((int)(fields.Value(Version) ?? FormatVersion), ByName(fields.Items(Data)), ByName(fields.Items(Environments)), fields.Of(BaselineKey)?.Digest));

    private static ImmutableSortedDictionary<string, T> ByName<T>(ImmutableArray<Named<T>> entries) where T : class =>
        entries.Where(entry => entry.Value is not null).ToImmutableSortedDictionary(entry => entry.Name, entry => entry.Value!, StringComparer.Ordinal);

    private sealed record Baseline(Digest? Digest);

    private sealed class BaselineShape : Shape<Baseline>
    {
        public override string Allowed => DigestText.Allowed + ", or null";

        public override JsonObject Schema() => new() { ["anyOf"] = new JsonArray(DigestText.Schema(), new JsonObject { ["type"] = "null" }) };

        protected override bool Read(Node node, Label label, FaultList faults, [MaybeNullWhen(false)] out Baseline value)
        {
            value = new Baseline(null);
            if (node is ScalarNode { Kind: ScalarKind.Nothing })
                return true;
            var isRead = DigestText.TryRead(node, label, faults, out var digest);
            value = new Baseline(digest);
            return isRead;
        }
    }
}
