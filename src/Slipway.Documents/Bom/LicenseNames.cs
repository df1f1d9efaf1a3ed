using System.Collections.Frozen;

namespace Slipway.Documents.Bom;

/// <summary>From what licences are called to SPDX identifiers, where that is certain; elsewhere a name stays a name.</summary>
/// <remarks>Source of the short names: Debian's copyright-format 1.0, which defines them by SPDX's; of the identifiers: the SPDX licence list.</remarks>
internal static class LicenseNames
{
    /// <summary>Of a component whose licence nobody tells.</summary>
    public static readonly BomProperty Unknown = new("slipway:license", "unknown");

    private static readonly FrozenSet<string> spdx = new[]
    {
        "Apache-1.0", "Apache-1.1", "Apache-2.0", "Artistic-1.0", "Artistic-2.0", "BSD-2-Clause", "BSD-3-Clause", "BSD-4-Clause", "BSL-1.0", "CC-BY-3.0", "CC-BY-4.0", "CC-BY-SA-3.0",
        "CC-BY-SA-4.0", "CC0-1.0", "EPL-2.0", "GPL-1.0-only", "GPL-1.0-or-later", "GPL-2.0-only", "GPL-2.0-or-later", "GPL-3.0-only", "GPL-3.0-or-later", "ISC", "LGPL-2.0-only",
        "LGPL-2.0-or-later", "LGPL-2.1-only", "LGPL-2.1-or-later", "LGPL-3.0-only", "LGPL-3.0-or-later", "MIT", "MPL-1.1", "MPL-2.0", "ODbL-1.0", "OFL-1.1", "PostgreSQL", "Python-2.0",
        "Unlicense", "W3C", "WTFPL", "Zlib", "ZPL-2.1",
    }.ToFrozenSet(StringComparer.Ordinal);

    private static readonly FrozenDictionary<string, string> debian = new Dictionary<string, string>
    {
        ["Expat"] = "MIT",
        ["BSD-2-clause"] = "BSD-2-Clause",
        ["BSD-3-clause"] = "BSD-3-Clause",
        ["BSD-4-clause"] = "BSD-4-Clause",
        ["Artistic"] = "Artistic-1.0",
        ["GPL-1"] = "GPL-1.0-only",
        ["GPL-1+"] = "GPL-1.0-or-later",
        ["GPL-2"] = "GPL-2.0-only",
        ["GPL-2.0"] = "GPL-2.0-only",
        ["GPL-2+"] = "GPL-2.0-or-later",
        ["GPL-2.0+"] = "GPL-2.0-or-later",
        ["GPL-3"] = "GPL-3.0-only",
        ["GPL-3.0"] = "GPL-3.0-only",
        ["GPL-3+"] = "GPL-3.0-or-later",
        ["GPL-3.0+"] = "GPL-3.0-or-later",
        ["LGPL-2"] = "LGPL-2.0-only",
        ["LGPL-2+"] = "LGPL-2.0-or-later",
        ["LGPL-2.1"] = "LGPL-2.1-only",
        ["LGPL-2.1+"] = "LGPL-2.1-or-later",
        ["LGPL-3"] = "LGPL-3.0-only",
        ["LGPL-3+"] = "LGPL-3.0-or-later",
        ["CC0"] = "CC0-1.0",
        ["zlib"] = "Zlib",
    }.ToFrozenDictionary(StringComparer.Ordinal);

    public static BomLicenseChoice Choice(string license) => new(
        spdx.Contains(license) ? new BomLicense(Id: license)
        : debian.TryGetValue(license, out var id) ? new BomLicense(Id: id)
        : new BomLicense(Name: license));
}
