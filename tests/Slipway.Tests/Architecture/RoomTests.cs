using System.Text.RegularExpressions;
using System.Xml.Linq;

namespace Slipway.Tests.Architecture;

/// <summary>The rooms keep to the house's rules. What the rules catch is shown by <see cref="ScanTests"/>.</summary>
public sealed partial class RoomTests
{
    private const string All = "Primitives Stats Expressions Store Trust Documents Engines Runtime Pipeline Gateway Server";

    /// <summary>Which room may reference which; Primitives is everyone's.</summary>
    private static readonly Dictionary<string, string[]> Allowed = new()
    {
        ["Primitives"] = [],
        ["Stats"] = ["Primitives"],
        ["Expressions"] = ["Primitives"],
        ["Store"] = ["Primitives"],
        ["Trust"] = ["Primitives", "Store"],
        ["Documents"] = ["Primitives", "Expressions", "Stats", "Trust", "Store"],
        ["Engines"] = ["Primitives"],
        ["Runtime"] = ["Primitives", "Documents", "Engines", "Trust", "Store"],
        ["Pipeline"] = ["Primitives", "Runtime", "Documents", "Engines", "Expressions", "Stats", "Trust", "Store"],
        ["Gateway"] = ["Primitives", "Runtime", "Documents", "Stats", "Trust", "Store"],
        ["Server"] = ["Primitives", "Documents", "Expressions", "Stats", "Trust", "Store"],
        ["Cli"] = All.Split(' '),
    };

    /// <summary>The closed list: add to it only what nearly every room needs and the framework lacks.</summary>
    private static readonly Dictionary<string, string[]> PublicPrimitives = new()
    {
        ["Bytes"] = ["CanonicalJson", "Digest", "DigestJsonConverter"],
        ["Faults"] = ["ExitCode", "Fault", "ForeignText", "NearestName", "SlipwayException"],
        ["Files"] = ["AtomicFile", "FileKind", "FileStamp", "FolderLock"],
        ["Processes"] = ["ChildCommand", "ChildExit", "ChildProcess"],
        ["Units"] =
        [
            "ByteRate", "ByteRateJsonConverter", "ByteSize", "ByteSizeJsonConverter", "Duration", "DurationJsonConverter",
            "Ratio", "RatioJsonConverter", "RequestRate", "RequestRateJsonConverter",
        ],
    };

    public static TheoryData<string> Rooms => [.. All.Split(' ')];

    [Fact]
    public void Every_room_is_on_the_list() =>
        Assert.Equal(Allowed.Keys.Order(), Directory.GetDirectories(Source, "Slipway.*").Select(folder => Path.GetFileName(folder)["Slipway.".Length..]).Order());

    [Fact]
    public void Projects_reference_only_what_they_may()
    {
        foreach (var (room, allowed) in Allowed)
        {
            var project = XDocument.Load(Path.Combine(Source, $"Slipway.{room}", $"Slipway.{room}.csproj"));
            var references = project.Descendants("ProjectReference").Select(reference => Path.GetFileNameWithoutExtension(reference.Attribute("Include")!.Value)).ToArray();
            Assert.True(room == "Primitives" || references.Length > 0, room);
            Assert.Empty(Rules.ForbiddenReferences(references, allowed));
        }
    }

    [Theory, MemberData(nameof(Rooms))]
    public void Compiled_rooms_reference_only_what_they_may(string room)
    {
        using var scan = Scan(room);
        Assert.NotEmpty(scan.References);
        Assert.Empty(Rules.ForbiddenReferences(scan.References, Allowed[room]));
    }

    [Fact]
    public void Primitives_needs_the_framework_alone()
    {
        var project = XDocument.Load(Path.Combine(Source, "Slipway.Primitives", "Slipway.Primitives.csproj"));
        Assert.Empty(project.Descendants("PackageReference").Concat(project.Descendants("FrameworkReference")));
        using var scan = Scan("Primitives");
        Assert.All(scan.References, name => Assert.StartsWith("System", name));
    }

    [Fact]
    public void Primitives_is_a_closed_list()
    {
        using var scan = Scan("Primitives");
        Assert.Equal(
            PublicPrimitives.SelectMany(folder => folder.Value.Select(type => $"Slipway.Primitives.{folder.Key}.{type}")).Order(StringComparer.Ordinal),
            scan.Types.Where(type => type.IsPublic).Select(type => type.Name.ToString()).Order(StringComparer.Ordinal));
        Assert.Equal(PublicPrimitives.Keys.Order(), Directory.GetDirectories(Path.Combine(Source, "Slipway.Primitives")).Select(Path.GetFileName).Except(["bin", "obj"]).Order());
    }

    [Theory, MemberData(nameof(Rooms))]
    public void Folders_of_a_room_form_no_circle(string room)
    {
        using var scan = Scan(room);
        Assert.Empty(Rules.FolderCircles(scan, $"Slipway.{room}"));
    }

    [Theory, MemberData(nameof(Rooms))]
    public void No_type_is_named_like_its_folder(string room)
    {
        using var scan = Scan(room);
        Assert.Empty(Rules.TypesNamedLikeTheirFolder(scan));
    }

    [Fact]
    public void Stats_is_pure()
    {
        using var scan = Scan("Stats");
        Assert.Empty(Rules.ImpureUses(scan, "Slipway.Stats"));
    }

    [Fact]
    public void A_namespace_is_its_folder()
    {
        var files = Directory.GetFiles(Source, "*.cs", SearchOption.AllDirectories).Where(file => !BuildFolder().IsMatch(file)).ToArray();
        Assert.NotEmpty(files);
        foreach (var file in files)
        {
            var folder = Path.GetRelativePath(Source, Path.GetDirectoryName(file)!).Replace('/', '.');
            if (Declared().Match(File.ReadAllText(file)) is { Success: true } declared)
                Assert.Equal((file, folder), (file, declared.Groups[1].Value));
            else
                Assert.Equal("Slipway.Cli", folder);    // the program's entry point has statements and no namespace
        }
    }

    /// <summary><c>src/</c> of the tree that these tests were built from.</summary>
    private static string Source { get; } = FindSource();

    private static AssemblyScan Scan(string room) => new(Path.Combine(AppContext.BaseDirectory, $"Slipway.{room}.dll"));

    private static string FindSource()
    {
        for (var folder = AppContext.BaseDirectory; folder is not null; folder = Path.GetDirectoryName(folder))
        {
            if (File.Exists(Path.Combine(folder, "Slipway.slnx")))
                return Path.Combine(folder, "src");
        }

        throw new InvalidOperationException("these tests read the source tree and are not inside one");
    }

    [GeneratedRegex(@"^namespace ([\w.]+);", RegexOptions.Multiline)]
    private static partial Regex Declared();

    [GeneratedRegex("/(bin|obj)/")]
    private static partial Regex BuildFolder();
}
