using System.Collections.Frozen;
using System.Collections.Immutable;
using System.Globalization;
using System.Text.Json;
using System.Text.Unicode;

namespace Slipway.Documents.Bom;

/// <summary>What a bill of materials of any tool tells of its components.</summary>
/// <param name="SerialNumber">Null where it has none.</param>
/// <param name="Components">All of them, parts and the subject itself among them, in the order of the document.</param>
public sealed record BomReading(string SpecVersion, string? SerialNumber, ImmutableArray<ReadComponent> Components);

/// <param name="Hashes">Hex by algorithm.</param>
/// <param name="Licenses">Identifiers, names or expressions, as they stand.</param>
public sealed record ReadComponent(string Type, string Name, string? Version, string? Purl, ImmutableArray<BomHash> Hashes, ImmutableArray<string> Licenses);

/// <summary>Reads CycloneDX 1.6 and 1.7 in JSON: tolerant of what is not Slipway's to know, strict on the parts that it hands on.</summary>
/// <remarks>
/// Checked are format, version and serial number; of each component type, name, scope, hashes and the choice of licences; properties; licence texts; times; the kinds of patches and
/// of services' data. What only the whole schema tells, such as whether an identifier is SPDX's, is a validator's to find. Recursion is bounded by the depth of 64 that is read.
/// </remarks>
public sealed class BomReader
{
    /// <summary>Bytes of a document: some ten thousand components.</summary>
    public const int MaxBytes = 16 * 1024 * 1024;

    private static readonly FrozenSet<string> types = Words(
        "application framework library container platform operating-system device device-driver firmware file machine-learning-model data cryptographic-asset");

    private static readonly FrozenSet<string> scopes = Words("required optional excluded");

    private static readonly FrozenSet<string> patches = Words("unofficial monkey backport cherry-pick");

    private static readonly FrozenSet<string> flows = Words("inbound outbound bi-directional unknown");

    /// <summary>Hex digits by algorithm; null where they vary.</summary>
    private static readonly FrozenDictionary<string, int> digits = new Dictionary<string, int>
    {
        ["MD5"] = 32,
        ["SHA-1"] = 40,
        ["SHA-256"] = 64,
        ["SHA-384"] = 96,
        ["SHA-512"] = 128,
        ["SHA3-256"] = 64,
        ["SHA3-384"] = 96,
        ["SHA3-512"] = 128,
        ["BLAKE2b-256"] = 64,
        ["BLAKE2b-384"] = 96,
        ["BLAKE2b-512"] = 128,
        ["BLAKE3"] = 0,
        ["Streebog-256"] = 64,
        ["Streebog-512"] = 128,
    }.ToFrozenDictionary(StringComparer.Ordinal);

    private readonly ImmutableArray<ReadComponent>.Builder components = ImmutableArray.CreateBuilder<ReadComponent>();

    private BomReader()
    {
    }

    /// <exception cref="JsonException">It is no such document: what is wrong, and where, in one sentence.</exception>
    public static BomReading Read(ReadOnlyMemory<byte> json)
    {
        if (json.Length > MaxBytes)
            throw new JsonException($"the bill of materials has {json.Length} bytes, allowed {MaxBytes}");
        if (!Utf8.IsValid(json.Span))
            throw new JsonException("the bill of materials is not UTF-8");
        try
        {
            return ReadText(json);
        }
        catch (InvalidOperationException e)
        {
            throw new JsonException("a name or a text of the bill of materials is half a character", e);
        }
    }

    private static BomReading ReadText(ReadOnlyMemory<byte> json)
    {
        using var document = JsonDocument.Parse(json, new JsonDocumentOptions { AllowDuplicateProperties = false, MaxDepth = 64 });
        var root = Require(document.RootElement, JsonValueKind.Object, "$");
        if (Text(root, "bomFormat", "$") != CycloneDxBom.Format)
            throw new JsonException("$.bomFormat is not CycloneDX");
        if (Text(root, "specVersion", "$") is not (CycloneDxBom.V16 or "1.7") || Text(root, "specVersion", "$") is not { } version)
            throw new JsonException($"$.specVersion is '{Text(root, "specVersion", "$")}', allowed 1.6 and 1.7");
        var serial = Text(root, "serialNumber", "$");
        if (serial is not null && !(serial.StartsWith("urn:uuid:", StringComparison.Ordinal) && Guid.TryParseExact(serial["urn:uuid:".Length..], "D", out _) && serial == serial.ToLowerInvariant()))
            throw new JsonException($"$.serialNumber is '{serial}', expected urn:uuid: and a UUID in small letters");
        var reader = new BomReader();
        reader.Visit(root, "$", "");
        return new BomReading(version, serial, reader.components.ToImmutable());
    }

    private void Visit(JsonElement element, string path, string key)
    {
        if (element.ValueKind == JsonValueKind.Object)
        {
            Check(element, path, key);
            foreach (var member in element.EnumerateObject())
                Visit(member.Value, $"{path}.{member.Name}", member.Name);
        }
        else if (element.ValueKind == JsonValueKind.Array)
        {
            if (key == "licenses")
                CheckLicenses(element, path);
            foreach (var (i, item) in element.EnumerateArray().Index())
                Visit(item, string.Create(CultureInfo.InvariantCulture, $"{path}[{i}]"), key);
        }
    }

    /// <param name="key">The member that holds it, or holds the list that it is in.</param>
    private void Check(JsonElement element, string path, string key)
    {
        switch (key)
        {
            case "components" or "component" or "ancestors" or "descendants" or "variants" when !path.Contains(".signature", StringComparison.Ordinal) && IsComponentHolder(path):
                components.Add(Component(element, path));
                break;
            case "properties":
                _ = Text(element, "name", path) ?? throw new JsonException($"{path} is a property without a name");
                foreach (var member in element.EnumerateObject().Where(member => member.Name is not ("name" or "value")))
                    throw new JsonException($"{path} has '{member.Name}', and a property has name and value alone");
                break;
            case "hashes":
                _ = Hash(element, path);
                break;
            case "text" when element.TryGetProperty("encoding", out var encoding) && !(encoding.ValueKind == JsonValueKind.String && encoding.ValueEquals("base64")):
                throw new JsonException($"{path}.encoding is {encoding.GetRawText()}, allowed base64");
            case "patches":
                OneOf(element, "type", patches, path, isDue: true);
                break;
            case "data" when path.Contains(".services[", StringComparison.Ordinal) && element.TryGetProperty("flow", out _):
                OneOf(element, "flow", flows, path, isDue: true);
                break;
            case "metadata" when Text(element, "timestamp", path) is { } time && !IsTime(time):
                throw new JsonException($"{path}.timestamp is '{time}', expected a time as in RFC 3339");
            default:
                break;
        }
    }

    /// <summary>Assemblies and standards have members of those names that are references, or other things.</summary>
    private static bool IsComponentHolder(string path) => !path.Contains(".compositions[", StringComparison.Ordinal) && !path.Contains(".annotations[", StringComparison.Ordinal);

    private static ReadComponent Component(JsonElement element, string path)
    {
        OneOf(element, "type", types, path, isDue: true);
        OneOf(element, "scope", scopes, path, isDue: false);
        var name = Text(element, "name", path);
        if (string.IsNullOrEmpty(name))
            throw new JsonException($"{path} is a component without a name");
        return new ReadComponent(
            Text(element, "type", path)!,
            name,
            Text(element, "version", path),
            Text(element, "purl", path),
            element.TryGetProperty("hashes", out var hashes) ? [.. Require(hashes, JsonValueKind.Array, path + ".hashes").EnumerateArray().Select(hash => Hash(hash, path + ".hashes"))] : [],
            element.TryGetProperty("licenses", out var licenses) ? [.. Require(licenses, JsonValueKind.Array, path + ".licenses").EnumerateArray().Select(choice => License(choice, path + ".licenses"))] : []);
    }

    private static BomHash Hash(JsonElement element, string path)
    {
        Require(element, JsonValueKind.Object, path);
        var (algorithm, content) = (Text(element, "alg", path), Text(element, "content", path));
        if (algorithm is null || !digits.TryGetValue(algorithm, out var length))
            throw new JsonException($"{path} has a hash by '{algorithm}', allowed {string.Join(", ", digits.Keys.Order(StringComparer.Ordinal))}");
        return content is not null && content.All(char.IsAsciiHexDigit) && (length == 0 ? content.Length is 32 or 40 or 64 or 96 or 128 : content.Length == length)
            ? new BomHash(algorithm, content)
            : throw new JsonException($"{path} has a hash by {algorithm} that is no {(length == 0 ? "hash" : $"{length} hex digits")}");
    }

    /// <summary>Either licences, or in 1.6 a single expression: a mixture leaves open what is meant.</summary>
    private static void CheckLicenses(JsonElement array, string path)
    {
        var choices = array.EnumerateArray().ToList();
        foreach (var choice in choices)
            _ = License(choice, path);
        if (choices.Count > 1 && choices.Any(choice => choice.TryGetProperty("expression", out _)) && !path.StartsWith("$.declarations", StringComparison.Ordinal))
            throw new JsonException($"{path} has an expression beside other licences, allowed are licences or one expression");
    }

    private static string License(JsonElement choice, string path)
    {
        Require(choice, JsonValueKind.Object, path);
        var (hasLicense, hasExpression) = (choice.TryGetProperty("license", out var license), choice.TryGetProperty("expression", out _));
        if (hasLicense == hasExpression)
            throw new JsonException($"{path} has {(hasLicense ? "both a license and an expression" : "neither a license nor an expression")}, expected one of them");
        if (hasExpression)
            return Text(choice, "expression", path)!;
        Require(license, JsonValueKind.Object, path);
        var (id, name) = (Text(license, "id", path), Text(license, "name", path));
        return (id is null) != (name is null) ? id ?? name! : throw new JsonException($"{path} has a license with {(id is null ? "neither an id nor a name" : "both an id and a name")}, expected one of them");
    }

    private static void OneOf(JsonElement element, string name, FrozenSet<string> allowed, string path, bool isDue)
    {
        var found = Text(element, name, path);
        if (found is null ? isDue : !allowed.Contains(found))
            throw new JsonException($"{path}.{name} is {(found is null ? "missing" : $"'{found}'")}, allowed {string.Join(", ", allowed.Order(StringComparer.Ordinal))}");
    }

    /// <returns>Null where it is not there.</returns>
    private static string? Text(JsonElement element, string name, string path) =>
        !element.TryGetProperty(name, out var found) ? null
        : found.ValueKind == JsonValueKind.String ? found.GetString()
        : throw new JsonException($"{path}.{name} is {found.ValueKind}, expected text");

    private static JsonElement Require(JsonElement element, JsonValueKind kind, string path) =>
        element.ValueKind == kind ? element : throw new JsonException($"{path} is {element.ValueKind}, expected {kind}");

    private static bool IsTime(string text) => text.Length >= "2020-01-01T00:00:00Z".Length && text[10] is 'T' or 't' && DateTimeOffset.TryParse(text, CultureInfo.InvariantCulture, DateTimeStyles.None, out _);

    private static FrozenSet<string> Words(string text) => text.Split(' ').ToFrozenSet(StringComparer.Ordinal);
}
