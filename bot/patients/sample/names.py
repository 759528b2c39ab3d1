"""What people in Hong Kong are called, in both scripts: the material of invented persons.

Surnames and syllables are the common ones, in the romanisation that Hong Kong's own documents use; any name put together from
them may exist, and belongs to nobody here.
"""

from __future__ import annotations

SURNAMES = """Chan 陳,Wong 黃,Lee 李,Cheung 張,Lau 劉,Leung 梁,Ng 吳,Ho 何,Lam 林,Tsang 曾,Cheng 鄭,Yeung 楊,Chow 周,Tang 鄧,
Yip 葉,Lo 羅,Kwok 郭,Tse 謝,Wu 胡,Chu 朱,Tam 譚,Kwan 關,So 蘇,Fung 馮,Mak 麥,Yuen 袁,Poon 潘,Hui 許,Choi 蔡,Siu 蕭,
Au-Yeung 歐陽,Szeto 司徒,Lui 呂,Law 羅,Yiu 姚,Ip 葉,Tong 唐,Shum 岑,Kong 江,Kan 簡,Mok 莫,To 杜,Pang 彭,Chung 鍾,
Sin 冼,Ma 馬,Chiu 趙,Yau 邱,Wan 溫,Lai 黎"""

MALE = """Tai Man 大文,Chi Keung 志強,Wai Ming 偉明,Kwok Wing 國榮,Ka Ho 家豪,Chun Kit 俊傑,Tsz Hin 梓軒,Ho Yin 浩然,
Man Kit 文傑,Siu Ming 小明,Kin Wah 健華,Chi Wai 志偉,Hok Lam 學霖,Cheuk Hei 卓希,Wing Hong 永康,Pak Yin 柏然,
Yat Long 日朗,Kai Ming 啟明,Hiu Fung 曉峰,Yiu Ting 耀庭,Lok Hin 樂軒,Shing Fai 成輝,King Yu 景瑜,Chun Yin 俊賢,
Sai Kit 世傑"""

FEMALE = """Mei Ling 美玲,Wai Yee 慧儀,Siu Fong 小芳,Ka Yan 嘉欣,Hiu Tung 曉彤,Tsz Ching 梓晴,Yuk Lan 玉蘭,Suk Han 淑嫻,
Lai Wah 麗華,Wing Sze 詠詩,Hoi Yan 海欣,Man Yi 敏儀,Yan Tung 恩彤,Pui Shan 珮珊,Sau Ying 秀英,Kit Ying 潔瑩,
Lok Yiu 樂瑤,Yee Man 綺雯,Oi Lin 愛蓮,Cheuk Lam 卓琳,Fung Yee 鳳儀,Sin Yi 倩怡,Wai Han 惠嫻,Yuet Ngo 月娥,Tsz Yau 芷柔"""

ENGLISH_MALE = "Peter,Kelvin,Jason,Eric,Alex,Ricky,Sunny,Thomas,Edmund,Anson,Marco,Hugo,Samson,Dickson,Ivan,Calvin,Gary,Winston"
ENGLISH_FEMALE = "Mary,Cindy,Joyce,Fiona,Carmen,Winnie,Yoyo,Kitty,Phoebe,Vivian,Queenie,Christy,Janice,Bonnie,Hailey,Mandy,Iris"

ABROAD_MALE = """en Thomas Whitfield,en Oliver Hartley,en Graham Pemberton,en Lachlan Moore,en Mathieu Lefèvre,en Jonas Lindqvist,
en Rajesh Mehta,en Arjun Nair,en Gurpreet Singh Sandhu,en Imran Hussain,en Bilal Ahmed Qureshi,en Suresh Gurung,
en Bikash Tamang,en Dev Harilela,en Kenji Morita,en Min-jun Seo"""
ABROAD_FEMALE = """en Charlotte Ashworth,en Eleanor Brightwell,en Siobhan O'Rourke,en Claire Dubois-Martin,en Anneke van der Berg,
en Priya Raghunathan,en Sunita Chellaram,en Harpreet Kaur,en Fatima Bibi,en Ayesha Siddiqui,en Maya Limbu,en Sita Rai,
en Hanako Fujii"""

HELPERS = """tl Maria Cristina Dela Cruz,tl Rosalinda Bautista Reyes,tl Jennylyn Santos,tl Marites Villanueva,tl Analyn Peñaflor,
tl Rowena Macaraeg,tl Lorna Dimaculangan,tl Girlie Mae Abad,tl Emelita Pangilinan,tl Jocelyn Manalo,id Siti Rahayu,
id Sri Wahyuni,id Dewi Lestari,id Nur Hidayah,id Endang Sulistyowati,id Yuliana,id Ani Kusmiati,id Tri Puspitasari,
id Ratna Sari,id Eko Handayani"""

ESTATES = """City Garden|233 Electric Road|North Point|Hong Kong,Taikoo Shing|18 Taikoo Shing Road|Quarry Bay|Hong Kong,
Mei Foo Sun Chuen|10 Nassau Street|Mei Foo|Kowloon,Whampoa Garden|121 Baker Street|Hung Hom|Kowloon,
South Horizons|8 South Horizon Drive|Ap Lei Chau|Hong Kong,Sunshine City|18 On Luk Street|Ma On Shan|New Territories,
Choi Hung Estate|2 Tse Wai Avenue|Wong Tai Sin|Kowloon,Kornhill|43 Hong On Street|Quarry Bay|Hong Kong,
Amoy Gardens|77 Ngau Tau Kok Road|Ngau Tau Kok|Kowloon,Discovery Bay|92 Siena Avenue|Lantau Island|New Territories,
Repulse Bay Garden|28 Belleview Drive|Repulse Bay|Hong Kong,
Bayside Court|5 Clear Water Bay Road|Sai Kung|New Territories"""

ESTATES_ZH = """城市花園|北角電氣道233號|香港,太古城|鰂魚涌太古城道18號|香港,美孚新邨|美孚蘭秀道10號|九龍,
黃埔花園|紅磡必嘉街121號|九龍,海怡半島|鴨脷洲海怡路8號|香港,新港城|馬鞍山鞍祿街18號|新界,彩虹邨|黃大仙紫葳路2號|九龍"""


def pairs(lines: str) -> list[tuple[str, str]]:
    """Entries of two parts: `Chan 陳` is ("Chan", "陳")."""
    return [(part.rpartition(" ")[0], part.rpartition(" ")[2]) for part in _parts(lines)]


def tagged(lines: str) -> list[tuple[str, str]]:
    """Entries with a language before them: `tl Maria Santos` is ("tl", "Maria Santos")."""
    return [(part.partition(" ")[0], part.partition(" ")[2]) for part in _parts(lines)]


def plain(line: str) -> list[str]:
    """Entries of one part."""
    return _parts(line)


def _parts(lines: str) -> list[str]:
    return [part.strip() for part in lines.split(",") if part.strip()]
