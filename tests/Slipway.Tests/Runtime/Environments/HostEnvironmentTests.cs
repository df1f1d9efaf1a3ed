using System.Collections.Immutable;
using Slipway.Documents.Environments;
using Slipway.Documents.Reading;
using Slipway.Documents.Specs;
using Slipway.Primitives.Bytes;
using Slipway.Primitives.Faults;
using Slipway.Runtime.Environments;
using Slipway.Tests.Primitives;

namespace Slipway.Tests.Runtime.Environments;

public sealed class HostEnvironmentTests : IDisposable
{
    private const string Database =
        """
        Package: dpkg
        Status: install ok installed
        Architecture: arm64
        Version: 1.21

        Package: python3-sklearn
        Status: install ok installed
        Architecture: all
        Version: 1.2.1+dfsg-1
        Depends: python3-numpy (>= 1.20), python3:any, gone | libblas.so.3,
         python3-joblib
        Description: Python modules
         Depends: not-a-field
         .
         more

        Package: python3-numpy
        Status: install ok installed
        Version: 1:1.24
        Pre-Depends: libc6 (>= 2.36)

        Package: python3
        Status: hold ok installed
        Version: 3.11.2
        Depends: libc6, python3-sklearn

        Package: libopenblas0
        Status: install ok installed
        Version: 0.3.21
        Provides: libblas.so.3 (= 3), other

        Package: libblas3
        Status: install ok installed
        Version: 3.11
        Provides: libblas.so.3

        Package: libc6
        Status: install ok installed
        Architecture: arm64
        Version: 2.36

        Package: removed
        Status: deinstall ok config-files
        Version: 9

        Package: unrelated
        Status: install ok installed
        Version: 5
        """;

    private readonly TestFolder folder = new();
    private readonly LaterClock later = new();

    public void Dispose() => folder.Dispose();

    [Fact]
    public void The_fingerprint_is_the_declared_packages_and_all_that_they_depend_on()
    {
        var found = Host(Database).Fingerprint(Spec("python3-sklearn"));
        Assert.Equal(("py", "arm64"), (found.Name, found.Architecture));
        Assert.Equal(
            ["libblas3 3.11", "libc6 2.36", "libopenblas0 0.3.21", "python3 3.11.2", "python3-numpy 1:1.24", "python3-sklearn 1.2.1+dfsg-1"],
            found.Packages.Select(package => $"{package.Key} {package.Value}"));
        Assert.Equal(
            Digest.Of("""{"architecture":"arm64","packages":{"libblas3":"3.11","libc6":"2.36","libopenblas0":"0.3.21","python3":"3.11.2","python3-numpy":"1:1.24","python3-sklearn":"1.2.1+dfsg-1"}}"""u8),
            found.Digest);
    }

    [Fact]
    public void A_new_version_of_a_dependency_is_another_fingerprint_and_one_of_a_stranger_is_not()
    {
        var before = Host(Database).Fingerprint(Spec("python3-sklearn"));
        Assert.NotEqual(before.Digest, Host(Database.Replace("2.36", "2.37")).Fingerprint(Spec("python3-sklearn")).Digest);
        Assert.Equal(before.Digest, Host(Database.Replace("Version: 5", "Version: 6")).Fingerprint(Spec("python3-sklearn")).Digest);
        Assert.Equal(before.Digest, Host(Database).Fingerprint(new EnvironmentSpec("another", ["python3-sklearn"])).Digest);
    }

    [Theory]
    [InlineData("removed")]
    [InlineData("none-such")]
    public void A_package_that_is_not_installed_is_told_with_the_command_that_installs_it(string name)
    {
        var e = Assert.Throws<SlipwayException>(() => Host(Database).Fingerprint(Spec(name, "python3")));
        Assert.Equal((ExitCode.NotThere, "missing-package", "slipway.yaml", $"sudo apt-get install {name}"), (e.Exit, e.Faults[0].Code, e.Faults[0].File, e.Faults[0].Help));
    }

    [Fact]
    public void All_missing_packages_are_told_and_a_misspelt_one_with_its_neighbour()
    {
        var e = Assert.Throws<SlipwayException>(() => Host(Database).Fingerprint(Spec("one-missing", "python3", "two-missing")));
        Assert.Equal(2, e.Faults.Count);
        Assert.All(e.Faults, fault => Assert.Equal("sudo apt-get install one-missing two-missing", fault.Help));
        Assert.Contains("python3-sklearn", Assert.Throws<SlipwayException>(() => Host(Database).Fingerprint(Spec("python3-sklaern"))).Faults[0].Help);
    }

    [Fact]
    public void A_host_without_the_database_is_something_missing() =>
        Assert.Equal("no-dpkg", Assert.Throws<SlipwayException>(() => new HostEnvironment(folder["cache"], later, folder["none"]).Fingerprint(Spec("python3"))).Faults[0].Code);

    [Fact]
    public void While_the_database_does_not_change_it_is_not_read_again()
    {
        var host = Host(Database);
        var fresh = host.Fingerprint(Spec("python3"));
        var planted = File.ReadAllText(folder["cache"]).Replace("3.11.2", "9.9.9");
        File.WriteAllText(folder["cache"], planted);
        Assert.Equal("9.9.9", Again().Fingerprint(Spec("python3")).Packages["python3"]);
        Assert.Equal("3.11.2", Again().Fingerprint(Spec("python3", "unrelated")).Packages["python3"]);
        File.WriteAllText(folder["cache"], planted);
        File.AppendAllText(folder["status"], "\n");
        Assert.Equal(fresh.Digest, Again().Fingerprint(Spec("python3")).Digest);
    }

    [Fact]
    public void A_database_as_young_as_the_look_at_it_is_not_remembered()
    {
        folder.Write("status", Database);
        File.SetLastWriteTimeUtc(folder["status"], new DateTime(2100, 1, 1, 0, 0, 0, DateTimeKind.Utc));
        new HostEnvironment(folder["cache"], TimeProvider.System, folder["status"]).Fingerprint(Spec("python3"));
        Assert.False(File.Exists(folder["cache"]));
    }

    [Theory]
    [InlineData("")]
    [InlineData("{}")]
    [InlineData("{\"stamp\":\"\",\"environments\":null}")]
    public void A_damaged_cache_is_an_empty_one(string content)
    {
        folder.Write("cache", content);
        Assert.Equal("3.11.2", Host(Database).Fingerprint(Spec("python3")).Packages["python3"]);
    }

    [Fact]
    public void Two_environments_are_remembered_side_by_side()
    {
        var host = Host(Database);
        host.Fingerprint(Spec("python3"));
        host.Fingerprint(new EnvironmentSpec("other", ["unrelated"]));
        File.WriteAllText(folder["cache"], File.ReadAllText(folder["cache"]).Replace("\"5\"", "\"planted\"").Replace("3.11.2", "9.9.9"));
        Assert.Equal(("9.9.9", "planted"), (Again().Fingerprint(Spec("python3")).Packages["python3"], Again().Fingerprint(new EnvironmentSpec("other", ["unrelated"])).Packages["unrelated"]));
    }

    [Fact]
    public void Differences_are_told_by_name()
    {
        HostFingerprint Of(string architecture, params (string, string)[] packages) =>
            new("py", default, architecture, packages.ToImmutableSortedDictionary(package => package.Item1, package => package.Item2));
        Assert.Equal(
            ["architecture amd64 → arm64", "+ b 2", "- c 3", "d 4 → 5"],
            HostFingerprint.Differences(Of("amd64", ("a", "1"), ("c", "3"), ("d", "4")), Of("arm64", ("a", "1"), ("b", "2"), ("d", "5"))));
        Assert.Empty(HostFingerprint.Differences(Of("amd64", ("a", "1")), Of("amd64", ("a", "1"))));
    }

    [Fact]
    public void The_database_of_this_host_can_be_read()
    {
        Assert.SkipUnless(File.Exists(HostEnvironment.DebianStatus), "not a Debian host");
        var found = new HostEnvironment(folder["cache"], TimeProvider.System).Fingerprint(Spec("dpkg"));
        Assert.Contains("libc6", found.Packages.Keys);
        Assert.NotEqual("unknown", found.Architecture);
    }

    private HostEnvironment Host(string database)
    {
        folder.Write("status", database);
        return Again();
    }

    private HostEnvironment Again() => new(folder["cache"], later, folder["status"]);

    private static EnvironmentSpec Spec(params string[] packages) => new("py", [.. packages]) { At = new Place("slipway.yaml", 3, 5) };

    private sealed class LaterClock : TimeProvider
    {
        public override DateTimeOffset GetUtcNow() => base.GetUtcNow() + TimeSpan.FromHours(1);
    }
}
